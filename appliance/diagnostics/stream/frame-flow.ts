import {frameCharsMax, type StreamFrame, windowCharsMax} from '#appliance/contract/fleet/stream-schema.ts';

export type FrameFlowOptions = {
	readonly send: (frame: StreamFrame) => void;
	/** Data that has not been seen before, in order. */
	readonly onData: (text: string) => void;
	/** The window was full and is not any more. */
	readonly onDrain?: () => void;
	readonly windowChars?: number;
};

/**
 * One end of a stream: numbers what it sends, keeps it until the other end has consumed it, and sends it again after a
 * lost link; takes in order what comes, once each.
 *
 * Invariants: `#unacknowledged` holds consecutive sequences that end at `#sent`; `#received` only grows.
 */
export class FrameFlow {
	readonly #options: FrameFlowOptions;
	readonly #windowChars: number;
	#unacknowledged: {readonly sequence: number; readonly text: string}[] = [];
	#underWayChars = 0;
	#sent = 0;
	#received = 0;
	#askedAfter = -1;

	constructor(options: FrameFlowOptions) {
		this.#options = options;
		this.#windowChars = options.windowChars ?? windowCharsMax;
	}

	/** Sequence of the last data that was taken; what a resume asks to continue after. */
	get received(): number {
		return this.#received;
	}

	/** False while the other end has not kept up: the source must rest until `onDrain`. */
	get writable(): boolean {
		return this.#underWayChars < this.#windowChars;
	}

	write(text: string): void {
		for (let start = 0; start < text.length; ) {
			const end = cutBefore(text, start + frameCharsMax);
			const frame = {sequence: this.#sent + 1, text: text.slice(start, end)};
			this.#sent += 1;
			this.#underWayChars += frame.text.length;
			this.#unacknowledged.push(frame);
			this.#options.send({kind: 'data', ...frame});
			start = end;
		}
	}

	take(frame: Extract<StreamFrame, {kind: 'data' | 'ack' | 'resume'}>): void {
		switch (frame.kind) {
			case 'data':
				this.#takeData(frame);
				break;
			case 'ack':
				this.#forget(frame.sequence);
				break;
			case 'resume':
				this.#forget(frame.after);
				this.resend();
				break;
		}
	}

	/** Everything that the other end has not acknowledged, once more. */
	resend(): void {
		// A copy: an acknowledgement may come while this goes on.
		for (const frame of [...this.#unacknowledged]) {
			this.#options.send({kind: 'data', ...frame});
		}
	}

	/** Tells the other end how far this one has come: after a lost link, and as a sign of life. */
	acknowledge(): void {
		this.#options.send({kind: 'ack', sequence: this.#received});
	}

	#takeData({sequence, text}: Extract<StreamFrame, {kind: 'data'}>): void {
		if (sequence === this.#received + 1) {
			this.#received = sequence;
			this.#options.onData(text);
			this.acknowledge();
		} else if (sequence > this.#received) {
			// One in between was lost with the link. Asked for once: each of those that follow it would ask again.
			if (this.#askedAfter !== this.#received) {
				this.#askedAfter = this.#received;
				this.#options.send({kind: 'resume', after: this.#received});
			}
		} else {
			this.acknowledge();
		}
	}

	#forget(sequence: number): void {
		if (sequence > this.#sent) {
			return;
		}
		const wasFull = !this.writable;
		while ((this.#unacknowledged[0]?.sequence ?? Number.POSITIVE_INFINITY) <= sequence) {
			this.#underWayChars -= this.#unacknowledged.shift()?.text.length ?? 0;
		}
		if (wasFull && this.writable) {
			this.#options.onDrain?.();
		}
	}
}

/** Not between the halves of a surrogate pair, which would arrive as two wrong characters. */
const cutBefore = (text: string, end: number): number => {
	const code = text.charCodeAt(end - 1);
	return end < text.length && code >= 0xd8_00 && code <= 0xdb_ff ? end - 1 : Math.min(end, text.length);
};
