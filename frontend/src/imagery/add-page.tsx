// The page that brings new imagery in: files of this computer, a folder of the server, or an address.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button, EmptyState, Tabs } from "../ui/components";
import { FolderPanel } from "./folder-panel";
import { UploadPanel } from "./upload-page";
import { UrlPanel } from "./url-panel";
import type { RemoteConfig } from "./url-panel";

export interface AddConfig {
  projects: { id: string; name: string }[];
  project: string;
  chunk_bytes: number;
  remote: RemoteConfig;
  /** Folders of the server that are open. */
  folders: string[];
}

const TABS = [
  { id: "upload", label: "Upload files" },
  { id: "folder", label: "Server folder" },
  { id: "url", label: "From a URL" },
];

/** Take new imagery. */
export function AddPage({ config }: { config: AddConfig }): JSX.Element {
  const first = config.projects.find((row) => row.id === config.project) ?? config.projects[0];
  const [project, setProject] = useState(first?.id ?? "");
  const asked = new URLSearchParams(window.location.search).get("from");
  const [tab, setTab] = useState(TABS.find(({ id }) => id === asked)?.id ?? "upload");
  // Made when first looked at, and kept: an upload goes on while one looks at an address.
  const [made, setMade] = useState([tab]);
  const select = (id: string): void => {
    setTab(id);
    setMade((all) => (all.includes(id) ? all : [...all, id]));
  };
  if (config.projects.length === 0) {
    return (
      <EmptyState title="No project to add imagery to" actions={<Button href="/">Go to the content</Button>}>
        You need to be a labeler or more in a project. Make one on the content page, or ask a manager.
      </EmptyState>
    );
  }
  const shared = { projects: config.projects, project, onProject: setProject };
  return (
    <div class="stack upload">
      <div class="page-head">
        <h1>Add imagery</h1>
      </div>
      <Tabs label="Where it comes from" tabs={TABS} selected={tab} onSelect={select} />
      {made.includes("upload") && (
        <div hidden={tab !== "upload"}>
          <UploadPanel {...shared} />
        </div>
      )}
      {made.includes("folder") && (
        <div hidden={tab !== "folder"}>
          <FolderPanel {...shared} folders={config.folders} />
        </div>
      )}
      {made.includes("url") && (
        <div hidden={tab !== "url"}>
          <UrlPanel {...shared} config={config.remote} />
        </div>
      )}
    </div>
  );
}
