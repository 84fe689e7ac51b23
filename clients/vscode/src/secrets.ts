/** The key's name in the editor's secret storage. */
export const API_KEY = "oi.apiKey";
