import type {OpenSender, UplinkJob} from '#headend/carousel/uplink.ts';
import type {FluteSendEvent} from '#native/flute/sender-event.ts';

export type RecordingSender = {
	readonly open: OpenSender;
	readonly jobs: readonly (UplinkJob & {readonly id: number})[];
	/** That it was told after it was opened. */
	readonly rates: readonly number[];
	/** Ends the oldest job that runs. */
	readonly finish: (kind?: 'sent' | 'failed') => void;
};

/** Stands in for the native sender: writes jobs down. With `instant` each is sent at once, else when told. */
export const recordingSender = ({instant = true}: {readonly instant?: boolean} = {}): RecordingSender => {
	const jobs: (UplinkJob & {readonly id: number})[] = [];
	const running: number[] = [];
	const rates: number[] = [];
	let tell: (events: readonly FluteSendEvent[]) => void = () => undefined;
	const end = (id: number, kind: 'sent' | 'failed'): void =>
		tell([
			kind === 'sent'
				? {kind, job: id, packets: 1, wireBytes: 100, durationMs: 1}
				: {kind, job: id, code: 'TEST_FAILED', message: 'told to'},
		]);
	return {
		jobs,
		rates,
		finish: (kind = 'sent') => {
			const id = running.shift();
			if (id !== undefined) {
				end(id, kind);
			}
		},
		open: (onEvents) => {
			tell = onEvents;
			return {
				enqueue: (job) => {
					const id = jobs.length + 1;
					jobs.push({...job, id});
					if (instant) {
						setImmediate(() => end(id, 'sent'));
					} else {
						running.push(id);
					}
					return id;
				},
				setRate: (rateBps) => void rates.push(rateBps),
				stats: () => ({packets: 0, wireBytes: 0, busyMs: 0, rateErrorRatio: 0, lanes: []}),
				[Symbol.asyncDispose]: () => Promise.resolve(),
			};
		},
	};
};
