// Comments beside the map: the list, a thread, what has to be read first, and the dialog to write one.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button, Dialog, Icon, TextInput } from "../../ui/components";
import { ago, date, plural } from "../../ui/format";
import { withKey } from "../bindings";
import type { Key } from "../bindings";
import type { Comments } from "./comments";
import { useComments } from "./hooks";
import type { Remark, Thread } from "./rest";

export function CommentList({ comments, keys }: { comments: Comments; keys: readonly Key[] }): JSX.Element {
  const view = useComments(comments);
  const { mayLabel } = comments.options;
  return (
    <div class="comments">
      <div class="row">
        <h3>{view.settled ? "Settled comments" : "Comments"}</h3>
        <span class="spacer" />
        <Button small kind="quiet" onClick={() => void comments.load(!view.settled)}>{view.settled ? "Open" : "Settled"}</Button>
        {mayLabel && <Button small title={withKey("Comment", keys, "comment")} onClick={() => comments.begin()}><Icon name="comment" /> Comment</Button>}
      </div>
      {!view.threads.length && <p class="muted small-text">{view.settled ? "None is settled yet." : "Nobody has said anything. Pin a comment to the selected sample, or to the place under the pointer."}</p>}
      <ul>
        {view.threads.map((thread) => (
          <li key={thread.id} class={thread.id === view.chosen ? "shown" : undefined}>
            {thread.id === view.chosen ? <OpenThread comments={comments} thread={thread} /> : (
              <button type="button" class="comment-row" onClick={() => comments.show(thread)}>
                <span class="clamp">{thread.text}</span>
                <span class="muted small-text">{thread.author?.name ?? "Somebody"}, {ago(thread.at)}{thread.answers.length > 0 && ` · ${plural(thread.answers.length, "answer")}`}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Said({ remark }: { remark: Remark }): JSX.Element {
  return (
    <div class="comment-said">
      <p class="muted small-text" title={date(remark.at)}>{remark.author?.name ?? "Somebody"}, {ago(remark.at)}</p>
      <p class="comment-text">{remark.text}</p>
    </div>
  );
}

function OpenThread({ comments, thread }: { comments: Comments; thread: Thread }): JSX.Element {
  const [text, setText] = useState("");
  const { mayLabel } = comments.options;
  const answer = async (): Promise<void> => {
    if (text.trim() && (await comments.answer(thread, text))) setText("");
  };
  return (
    <>
      <Said remark={thread} />
      {thread.answers.map((one) => <Said key={one.id} remark={one} />)}
      {thread.resolved_at !== null && <p class="muted small-text">Settled by {thread.resolved_by?.name ?? "somebody"}, {ago(thread.resolved_at)}</p>}
      {mayLabel && (
        <form onSubmit={(event) => { event.preventDefault(); void answer(); }}>
          <TextInput label="Answer" quiet placeholder="Answer" value={text} onChange={setText} />
          <div class="actions">
            {text.trim() !== "" && <Button small kind="primary" type="submit">Answer</Button>}
            <Button small onClick={() => void comments.settle(thread, thread.resolved_at === null)}>{thread.resolved_at === null ? "Settle" : "Open again"}</Button>
            <Button small kind="quiet" onClick={() => comments.set({ chosen: null })}>Close</Button>
          </div>
        </form>
      )}
    </>
  );
}

/** What this person is named in and has not read: it stays until it is. */
export function MustRead({ comments }: { comments: Comments }): JSX.Element | null {
  useComments(comments);
  const thread = comments.unread();
  if (!thread) return null;
  const said = [thread, ...thread.answers].filter(({ must_read }) => must_read);
  return (
    <div class="label-card must-read" role="dialog" aria-labelledby="must-read-title">
      <h2 id="must-read-title">{said[0]?.author?.name ?? "Somebody"} asks you</h2>
      <div class="must-read-text" tabIndex={0}>{said.map((remark) => <p key={remark.id} class="comment-text">{remark.text}</p>)}</div>
      <div class="actions">
        <Button onClick={() => comments.show(thread)}>Show it</Button>
        <span class="spacer" />
        <Button kind="primary" onClick={() => void comments.read(thread)}>I have read it</Button>
      </div>
    </div>
  );
}

export function CommentDialog({ comments }: { comments: Comments }): JSX.Element | null {
  const { writing, nameable } = useComments(comments);
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  if (!writing) return null;
  const close = (): void => {
    setText("");
    comments.set({ writing: null });
  };
  const send = async (): Promise<void> => {
    setBusy(true);
    if (await comments.write(text)) setText("");
    setBusy(false);
  };
  return (
    <Dialog
      title={`Comment on ${writing.about}`} onClose={close} onSubmit={() => void send()}
      actions={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={!text.trim()}>Comment</Button>
        </>
      }
    >
      <TextInput label="Comment" rows={4} autofocus value={text} onChange={setText} hint="Whoever is named with @ has to read it. Ctrl Enter sends it." />
      <div class="comment-names" role="group" aria-label="Name somebody">
        {nameable.map(({ username, name }) => (
          <Button key={username} small onClick={() => setText(`${text}${text && !text.endsWith(" ") ? " " : ""}@${username} `)}>@{name || username}</Button>
        ))}
      </div>
    </Dialog>
  );
}
