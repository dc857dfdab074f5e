import {useSignal} from '@preact/signals';
import {FitAddon} from '@xterm/addon-fit';
import {Terminal} from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import type {JSX} from 'preact';
import {useEffect, useRef} from 'preact/hooks';
import {Badge, type Tone} from '../component/badge.tsx';
import {Button} from '../component/button.tsx';
import {CheckField} from '../component/field.tsx';
import {Panel} from '../component/panel.tsx';
import {may} from '../state/session.ts';
import {type BoxStreamState, openBoxStream} from './box-stream.ts';
import {styleBySheet} from './style-by-sheet.ts';

const tones: Readonly<Record<BoxStreamState, Tone>> = {
	connecting: 'accent',
	open: 'good',
	lost: 'warn',
	closed: 'none',
};
const theme = {background: '#05070c', foreground: '#f1f4f9', cursor: '#7cc7ff', selectionBackground: '#1d4a75'};

export const BoxTerminal = ({id}: {readonly id: string}): JSX.Element => {
	const elevated = useSignal(false);
	const state = useSignal<BoxStreamState>('closed');
	const reason = useSignal<string | undefined>(undefined);
	const session = useSignal(0);
	return (
		<Panel
			title="Terminal"
			actions={
				<>
					<span role="status">
						<Badge tone={tones[state.value]}>{state}</Badge> <span class="soft">{reason.value}</span>
					</span>
					{may('admin') && <CheckField label="Elevated" value={elevated} />}
					<Button
						look="primary"
						disabled={state.value === 'open'}
						onPress={() => {
							session.value += 1;
						}}
					>
						{session.value === 0 ? 'Open a terminal' : 'Open another'}
					</Button>
				</>
			}
		>
			{session.value === 0 ? (
				<p class="soft">
					You work as an unprivileged user, and everything is recorded for the audit. Leave the keyboard with Ctrl Shift
					Esc.
				</p>
			) : (
				<Screen
					key={session.value}
					id={id}
					elevated={elevated.peek()}
					onState={(next, why) => {
						state.value = next;
						reason.value = why;
					}}
				/>
			)}
		</Panel>
	);
};

type ScreenProps = {
	readonly id: string;
	readonly elevated: boolean;
	readonly onState: (state: BoxStreamState, reason?: string) => void;
};

const Screen = ({id, elevated, onState}: ScreenProps): JSX.Element => {
	const element = useRef<HTMLDivElement>(null);
	useEffect(() => {
		const parent = element.current;
		if (parent === null) {
			return;
		}
		const stopStyles = styleBySheet();
		const terminal = new Terminal({theme, cursorBlink: true, fontSize: 15, scrollback: 5000, screenReaderMode: true});
		const fit = new FitAddon();
		terminal.loadAddon(fit);
		terminal.open(parent);
		fit.fit();
		terminal.attachCustomKeyEventHandler((event) => {
			const isLeaving = event.key === 'Escape' && event.ctrlKey && event.shiftKey;
			if (isLeaving) {
				terminal.blur();
			}
			return !isLeaving;
		});
		const stream = openBoxStream({
			box: id,
			query: {kind: 'terminal', columns: terminal.cols, rows: terminal.rows, elevated: String(elevated)},
			onText: (text, drawn) => terminal.write(text, drawn),
			onState,
		});
		terminal.onData((text) => stream.send(text));
		terminal.onResize(({cols, rows}) => stream.resize(cols, rows));
		const observer = new ResizeObserver(() => fit.fit());
		observer.observe(parent);
		terminal.focus();
		return () => {
			observer.disconnect();
			stream.close();
			terminal.dispose();
			stopStyles();
			onState('closed');
		};
	}, []);
	return <div ref={element} class="screen" />;
};
