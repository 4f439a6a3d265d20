// The PromQL editor: highlighting and completion from the language package, errors from our own parser's API.

import { PromQLExtension } from '@prometheus-io/codemirror-promql';
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, insertNewlineAndIndent } from '@codemirror/commands';
import { HighlightStyle, bracketMatching, syntaxHighlighting } from '@codemirror/language';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'preact/hooks';

const colors = HighlightStyle.define([
  { tag: tags.string, color: 'var(--string)' },
  { tag: tags.number, color: 'var(--number)' },
  { tag: [tags.keyword, tags.operatorKeyword, tags.function(tags.variableName)], color: 'var(--accent)' },
  { tag: tags.labelName, color: 'var(--label)' },
  { tag: tags.comment, color: 'var(--quiet)', fontStyle: 'italic' },
]);

export interface EditorProps {
  readonly expr: string;
  readonly onChange: (expr: string) => void;
  readonly onRun: () => void;
}

export function Editor({ expr, onChange, onRun }: EditorProps) {
  const holder = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef({ onChange, onRun });
  latest.current = { onChange, onRun };
  useEffect(() => {
    const language = new PromQLExtension().activateLinter(false).setComplete({ remote: { url: '' } });
    const run = keymap.of([
      { key: 'Enter', run: () => (latest.current.onRun(), true) },
      { key: 'Shift-Enter', run: insertNewlineAndIndent },
      { key: 'Escape', run: ({ contentDOM }) => (contentDOM.blur(), true) },
    ]);
    view.current = new EditorView({
      parent: holder.current!,
      state: EditorState.create({
        doc: expr,
        extensions: [
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap]),
          run,
          Prec.low(keymap.of(defaultKeymap)),
          history(),
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          syntaxHighlighting(colors),
          language.asExtension(),
          placeholder('PromQL expression, Enter runs it'),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({
            'aria-label': 'PromQL expression',
            'data-testid': 'query-input',
          }),
          EditorView.updateListener.of(
            (update) => update.docChanged && latest.current.onChange(update.state.doc.toString()),
          ),
        ],
      }),
    });
    if (expr === '') view.current.focus();
    return () => view.current?.destroy();
  }, []);
  return <div class="editor" ref={holder} />;
}
