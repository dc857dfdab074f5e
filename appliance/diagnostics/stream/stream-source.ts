import type {Reason} from '#appliance/contract/fleet/release-schema.ts';

/** What a stream carries: a terminal or a log. */
export type StreamSource = AsyncDisposable & {
	/** Text from the other end; a log has no use for it. */
	readonly write: (text: string) => void;
	readonly resize: (size: {readonly columns: number; readonly rows: number}) => void;
	/** Rests until `resume`: the other end does not keep up. */
	readonly pause: () => void;
	readonly resume: () => void;
};

export type StreamListener = {
	readonly onText: (text: string) => void;
	/** Once, when there will be no more: the shell has ended. */
	readonly onEnd: (reason: Reason) => void;
};
