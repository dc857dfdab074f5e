import {signal} from '@preact/signals';
import type {LiveChange} from '#ota/contract/box-api.ts';

export type LiveKind = LiveChange['kind'];
export type LiveState = 'connecting' | 'following' | 'lost';

export const liveState = signal<LiveState>('connecting');

/** `undefined` = the connection was away, so anything may have changed. */
type Listener = (change: LiveChange | undefined) => void;

const listeners = new Set<Listener>();

export const onLiveChange = (listener: Listener): (() => void) => {
	listeners.add(listener);
	return () => {
		listeners.delete(listener);
	};
};

const waitMsMin = 1000;
const waitMsMax = 30_000;
/** A first stumble is not shown: a server that restarts is back within this. */
const lostAfterAttempts = 2;

/** Follows the server's changes until the answer is called. */
export const followChanges = (): (() => void) => {
	let source: EventSource | undefined;
	let timer: ReturnType<typeof setTimeout> | undefined;
	let attempts = 0;
	let wasAway = false;
	const tell = (change: LiveChange | undefined): void => {
		for (const listener of listeners) {
			listener(change);
		}
	};
	const open = (): void => {
		const opened = new EventSource('/live');
		source = opened;
		opened.onopen = () => {
			attempts = 0;
			liveState.value = 'following';
			if (wasAway) {
				tell(undefined);
			}
		};
		opened.onmessage = ({data}: MessageEvent<string>) => tell(JSON.parse(data) as LiveChange);
		opened.onerror = () => {
			// The browser's own retry has no back-off, and a fleet's consoles would all come back at once.
			opened.close();
			wasAway = true;
			attempts += 1;
			liveState.value = attempts >= lostAfterAttempts ? 'lost' : 'connecting';
			const waitMs = Math.min(waitMsMax, waitMsMin * 2 ** (attempts - 1));
			timer = setTimeout(open, waitMs * (0.5 + Math.random() / 2));
		};
	};
	open();
	return () => {
		clearTimeout(timer);
		source?.close();
		liveState.value = 'connecting';
	};
};
