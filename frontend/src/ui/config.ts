/** Return what the page's template put into `#config` ({{ config|json_script:"config" }}). */
export function readConfig<T>(): T {
  const text = document.getElementById("config")?.textContent;
  if (!text) throw new Error("This page has no #config.");
  return JSON.parse(text) as T;
}
