// One entry per page: every src/<page>/main.tsx is built and found by django-vite under that path.
import { readdirSync, existsSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

const pages = readdirSync(resolve(import.meta.dirname, "src"))
  .map((name) => `src/${name}/main.tsx`)
  .filter((entry) => existsSync(resolve(import.meta.dirname, entry)));

export default defineConfig({
  base: "/static/",
  build: {
    outDir: "dist",
    manifest: "manifest.json",
    target: "es2022",
    modulePreload: { polyfill: false },
    rollupOptions: { input: pages.map((entry) => resolve(import.meta.dirname, entry)) },
  },
  worker: { format: "es" },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  test: { environment: "happy-dom", include: ["tests/**/*.test.ts", "tests/**/*.test.tsx"] },
});
