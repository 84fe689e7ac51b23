/** Our MCP server, offered to all agents of the editor. Versions before 1.101 cannot take it. */

import * as vscode from "vscode";
import type { Launch } from "./daemon";

/** The part of the API that the oldest supported version lacks. */
interface McpApi {
  registerMcpServerDefinitionProvider?(
    id: string,
    provider: {
      provideMcpServerDefinitions(): Definition[];
      resolveMcpServerDefinition(definition: Definition): Promise<Definition>;
    },
  ): vscode.Disposable;
}

interface Definition {
  label: string;
  command: string;
  args: string[];
  cwd?: vscode.Uri;
}

type DefinitionClass = new (label: string, command: string, args: string[]) => Definition;

/** Offer the server; its program is looked for when an agent wants it. It ends with the window, unless it is that of
 * the shared daemon. */
export function mcpServer(launch: () => Promise<Launch>): vscode.Disposable {
  const lm: McpApi = vscode.lm as McpApi;
  const { McpStdioServerDefinition } = vscode as { McpStdioServerDefinition?: DefinitionClass };
  if (!lm.registerMcpServerDefinitionProvider || !McpStdioServerDefinition) return { dispose() {} };
  const offered = new McpStdioServerDefinition("Open Interpreter", "oi-daemon", []);
  const provider = {
    provideMcpServerDefinitions: () => [offered],
    async resolveMcpServerDefinition(definition: Definition) {
      const { program, cwd } = await launch();
      const shared = vscode.workspace.getConfiguration("oi").get("shared", false);
      definition.command = program;
      definition.args = ["--mcp", ...(shared ? [] : ["--private"])];
      definition.cwd = vscode.Uri.file(cwd);
      return definition;
    },
  };
  try {
    return lm.registerMcpServerDefinitionProvider("oi", provider);
  } catch {
    return { dispose() {} }; // 1.100 has it as a proposal, which extensions may not use
  }
}
