/** `lost` is a box that answers neither way. */
export type FeedState = 'connecting' | 'following' | 'polling' | 'lost';

const pollIntervalMs = 2000;
/** After so long without an event the stream is taken for dead, although the browser has not noticed. */
const silenceMs = 5000;
const reopenIntervalMs = 15_000;

/**
 * Follows a box's status by server-sent events; when the stream breaks or falls silent it polls instead, and goes back
 * to the stream when that works again.
 */
export const followStatus = <Status>(options: {
	readonly eventsPath: string;
	readonly statusPath: string;
	readonly onStatus: (status: Status) => void;
	readonly onState: (state: FeedState) => void;
}): void => {
	const {eventsPath, statusPath, onStatus, onState} = options;
	let heardMs = performance.now();
	let openedMs = performance.now();
	let source: EventSource | undefined;

	const open = (): void => {
		source?.close();
		openedMs = performance.now();
		source = new EventSource(eventsPath);
		source.addEventListener('message', (event: MessageEvent<string>) => {
			heardMs = performance.now();
			onState('following');
			onStatus(JSON.parse(event.data) as Status);
		});
	};

	const poll = async (): Promise<void> => {
		try {
			const response = await fetch(statusPath, {signal: AbortSignal.timeout(pollIntervalMs)});
			if (!response.ok) {
				throw new Error(`status ${response.status}`);
			}
			onStatus((await response.json()) as Status);
			onState('polling');
		} catch {
			onState('lost');
		}
	};

	onState('connecting');
	open();
	setInterval(() => {
		const nowMs = performance.now();
		if (nowMs - heardMs < silenceMs && source?.readyState !== EventSource.CLOSED) {
			return;
		}
		void poll();
		if (nowMs - openedMs > reopenIntervalMs) {
			open();
		}
	}, pollIntervalMs);
};
