import type {DeviceId} from '#appliance/contract/box-schema.ts';
import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import {type StreamFrame, streamFrameSchema, windowCharsMax} from '#appliance/contract/fleet/stream-schema.ts';
import {streamTopic} from '#appliance/contract/fleet/topic.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {StreamMessage} from '#ota/contract/diagnostics-api.ts';
import type {DiagnosticsServerErrorCode} from '#ota/fleet/diagnostics/diagnostics-error.ts';
import type {DiagnosticsLimits} from '#ota/fleet/diagnostics/diagnostics-limits.ts';
import type {StreamRecording} from '#ota/fleet/diagnostics/stream-recording.ts';
import type {FleetBroker} from '#ota/fleet/server/fleet-broker.ts';

/** The page at the other end; gone when its connection is. */
export type StreamPage = {
	readonly send: (message: StreamMessage) => void;
	readonly close: () => void;
};

export type BridgedStreamOptions = {
	readonly box: DeviceId;
	readonly streamId: string;
	readonly token: string;
	readonly broker: Pick<FleetBroker, 'publish'>;
	readonly recording: StreamRecording | undefined;
	readonly limits: DiagnosticsLimits;
	readonly clock: Clock;
	readonly onEnded: (reason: Reason) => void;
};

/** Of a page, before its box has opened the stream: as many as the smallest frames that fill the window, and some. */
const earlyFramesMax = windowCharsMax / 8;

const reason = (code: DiagnosticsServerErrorCode, message: string): Reason => ({code, message});

/**
 * One stream between a page and a box. Frames are numbered end to end and pass through; nothing is buffered here, because
 * each end keeps what the other has not acknowledged. A page that was away continues where it was: the box is asked to
 * send again. Until the box has opened the stream, which it says by a frame, it would answer that it knows none: what a page
 * says before is kept. Invariant: `#forwarded` is the last sequence that the present page was given, in order.
 */
export class BridgedStream {
	readonly #options: BridgedStreamOptions;
	readonly #openedMs: number;
	#page: StreamPage | undefined;
	#detachedMs: number;
	#heardMs: number | undefined;
	#publishedMs: number;
	#forwarded = 0;
	#askedAfter = -1;
	#recordedOut = 0;
	#recordedIn = 0;
	#acknowledgedIn = 0;
	#underWay = new Map<number, number>();
	#early: StreamFrame[] = [];
	#ended = false;

	constructor(options: BridgedStreamOptions) {
		this.#options = options;
		this.#openedMs = options.clock.monotonicMs();
		this.#detachedMs = this.#openedMs;
		this.#publishedMs = this.#openedMs;
	}

	/** A page (again): `after` is the last that it has shown. One that is still there is put off. */
	attach(page: StreamPage, after: number): void {
		this.#page?.close();
		this.#page = page;
		this.#forwarded = after;
		this.#askedAfter = -1;
		const {streamId, token, limits} = this.#options;
		page.send({kind: 'opened', streamId, token, resumeMs: limits.resumeMs, acknowledged: this.#acknowledgedIn});
		if (this.#heardMs !== undefined) {
			this.#askBox();
		}
	}

	detach(page: StreamPage): void {
		if (this.#page === page) {
			this.#page = undefined;
			this.#detachedMs = this.#options.clock.monotonicMs();
		}
	}

	/** The broker was away: what boxes said meanwhile is lost to a clean session, and asked for again. */
	onBroker(): void {
		if (this.#page !== undefined && this.#heardMs !== undefined) {
			this.#askBox();
		}
	}

	fromBox(payload: Buffer): void {
		const frame = parseFrame(payload.toString('utf8'));
		if (frame === undefined || this.#ended) {
			return;
		}
		this.#heardMs = this.#options.clock.monotonicMs();
		// To a box that refuses the stream there is nothing to say.
		for (const early of frame.kind === 'close' ? [] : this.#early.splice(0)) {
			this.#publish(early);
		}
		switch (frame.kind) {
			case 'data':
				this.#takeOutput(frame);
				break;
			case 'ack':
				this.#takeAck(frame.sequence);
				this.#page?.send(frame);
				break;
			case 'resume':
				// What is not acknowledged the page has kept; it sends it again when it sees where the box is.
				this.#takeAck(frame.after);
				this.#page?.send(frame);
				break;
			case 'close':
				this.#end(frame.reason, {tellBox: false});
				break;
			case 'resize':
				break;
		}
	}

	fromPage(text: string): void {
		if (this.#ended) {
			return;
		}
		const frame = parseFrame(text);
		if (frame === undefined) {
			this.#end(reason('OTA_STREAM_PROTOCOL', 'The page sent what is no frame.'), {tellBox: true});
			return;
		}
		const {recording, clock} = this.#options;
		switch (frame.kind) {
			case 'data':
				this.#takeInput(frame);
				break;
			case 'ack':
			case 'resume':
				this.#publish(frame);
				break;
			case 'resize':
				recording?.write('r', `${frame.columns}x${frame.rows}`, clock.nowMs());
				this.#publish(frame);
				break;
			case 'close':
				this.#end(frame.reason, {tellBox: true});
				break;
		}
	}

	/** Looked at every second: what is overdue ends the stream. */
	tick(): void {
		const nowMs = this.#options.clock.monotonicMs();
		const {limits, recording} = this.#options;
		if (this.#page === undefined && nowMs - this.#detachedMs > limits.resumeMs) {
			this.end('OTA_STREAM_ENDED', 'Nobody came back to watch.');
		} else if (this.#heardMs === undefined && nowMs - this.#openedMs > limits.openTimeoutMs) {
			this.end('OTA_STREAM_BOX_SILENT', 'The box did not answer: it may be offline.');
		} else if (this.#heardMs !== undefined && nowMs - this.#heardMs > limits.resumeMs) {
			this.end('OTA_STREAM_BOX_SILENT', 'The box has said nothing for too long.');
		} else if (recording?.usable === false) {
			this.end('OTA_STREAM_RECORDING_FULL', 'What was done cannot be recorded any more.');
		} else if (this.#mayKeepAlive(nowMs)) {
			this.#publish({kind: 'ack', sequence: this.#lastAcknowledged});
		}
	}

	end(code: DiagnosticsServerErrorCode, message: string): void {
		this.#end(reason(code, message), {tellBox: true});
	}

	#lastAcknowledged = 0;

	#takeOutput(frame: Extract<StreamFrame, {kind: 'data'}>): void {
		const {recording, clock} = this.#options;
		if (frame.sequence === this.#recordedOut + 1) {
			this.#recordedOut = frame.sequence;
			recording?.write('o', frame.text, clock.nowMs());
		}
		if (this.#page === undefined || frame.sequence <= this.#forwarded) {
			return;
		}
		if (frame.sequence === this.#forwarded + 1) {
			this.#forwarded = frame.sequence;
			this.#page.send(frame);
		} else if (this.#askedAfter !== this.#forwarded) {
			this.#askBox();
		}
	}

	#takeInput(frame: Extract<StreamFrame, {kind: 'data'}>): void {
		const {recording, clock} = this.#options;
		if (frame.sequence > this.#acknowledgedIn) {
			this.#underWay.set(frame.sequence, frame.text.length);
		}
		const underWayChars = [...this.#underWay.values()].reduce((sum, chars) => sum + chars, 0);
		if (underWayChars > windowCharsMax || this.#underWay.size > windowCharsMax / 16) {
			this.end('OTA_STREAM_PROTOCOL', 'The page sent more than the box has taken.');
			return;
		}
		if (frame.sequence === this.#recordedIn + 1) {
			this.#recordedIn = frame.sequence;
			recording?.write('i', frame.text, clock.nowMs());
		}
		if (frame.sequence <= this.#recordedIn) {
			this.#publish(frame);
		}
	}

	#takeAck(sequence: number): void {
		if (sequence > this.#recordedIn) {
			return;
		}
		this.#acknowledgedIn = Math.max(this.#acknowledgedIn, sequence);
		for (const sent of this.#underWay.keys()) {
			if (sent <= this.#acknowledgedIn) {
				this.#underWay.delete(sent);
			}
		}
	}

	#mayKeepAlive(nowMs: number): boolean {
		const isBetween = this.#page !== undefined && this.#heardMs !== undefined;
		return isBetween && nowMs - this.#publishedMs >= this.#options.limits.keepAliveMs;
	}

	#askBox(): void {
		this.#askedAfter = this.#forwarded;
		this.#publish({kind: 'resume', after: this.#forwarded});
	}

	#publish(frame: StreamFrame): void {
		if (this.#heardMs === undefined && frame.kind !== 'close') {
			this.#early.push(frame);
			if (this.#early.length > earlyFramesMax) {
				this.end('OTA_STREAM_PROTOCOL', 'The page said too much before the box answered.');
			}
			return;
		}
		const {broker, box, streamId, clock} = this.#options;
		this.#publishedMs = clock.monotonicMs();
		if (frame.kind === 'ack') {
			this.#lastAcknowledged = Math.max(this.#lastAcknowledged, frame.sequence);
		}
		// What the broker did not take is said again: by the page's resend, or by the next keep-alive.
		void broker.publish(streamTopic(box, streamId, 'in'), JSON.stringify(frame)).catch(() => undefined);
	}

	#end(why: Reason, {tellBox}: {readonly tellBox: boolean}): void {
		if (this.#ended) {
			return;
		}
		this.#ended = true;
		if (tellBox) {
			this.#publish({kind: 'close', reason: why});
		}
		this.#page?.send({kind: 'close', reason: why});
		this.#page?.close();
		this.#page = undefined;
		this.#options.onEnded(why);
	}
}

const parseFrame = (text: string): StreamFrame | undefined => {
	try {
		return streamFrameSchema.parse(JSON.parse(text));
	} catch {
		return undefined;
	}
};
