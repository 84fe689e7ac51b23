const { join } = require("node:path");

const path = join(process.env.SELECTED_ENVIRONMENT, "bin/python");

exports.activate = () => ({
  environments: {
    getActiveEnvironmentPath: () => ({ path }),
    resolveEnvironment: async (environment) => ({ executable: { uri: { fsPath: environment.path } } }),
  },
});
