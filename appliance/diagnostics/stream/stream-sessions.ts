import type {CommandArguments} from '#appliance/contract/fleet/command-schema.ts';
import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import type {StreamFrame} from '#appliance/contract/fleet/stream-schema.ts';
import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import {FrameFlow} from '#appliance/diagnostics/stream/frame-flow.ts';
import type {StreamListener, StreamSource} from '#appliance/diagnostics/stream/stream-source.ts';
import {CodedError, errorCode, errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {FleetLink} from '#appliance/mqtt/fleet-link.ts';
import {type Clock, systemClock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';

export const streamsMax = 4;
/** Without a frame from the fleet for so long the stream is ended: the fleet acknowledges every few seconds. */
export const linkLossMsDefault = 60_000;
const logTotalMs = 8 * 3_600_000;

export type StreamRequest = CommandArguments<'open-stream'>['stream'];

export type StreamSessionsOptions = {
	readonly link: Pick<FleetLink, 'openChannel' | 'onConnected'>;
	/** `order` is the fleet's, for whoever verifies it again. */
	readonly open: (request: StreamRequest, listener: StreamListener, order: string | undefined) => StreamSource;
	readonly logger: Logger;
	readonly linkLossMs?: number;
	readonly tickMs?: number;
	readonly windowChars?: number;
	readonly clock?: Clock;
};

export type StreamSessions = AsyncDisposable & {
	/** @throws CodedError DIAGNOSTICS_STREAMS_TOO_MANY, or why the source cannot be opened. */
	readonly open: (streamId: string, request: StreamRequest, order?: string) => void;
	readonly count: () => number;
};

/** The terminals and logs that the fleet looks into at present. */
export const createStreamSessions = (options: StreamSessionsOptions): StreamSessions => {
	const sessions = new Map<string, Session>();
	const stop = options.link.onConnected(() => {
		for (const session of sessions.values()) {
			session.onConnected();
		}
	});
	return {
		count: () => sessions.size,
		open: (streamId, request, order) => {
			if (sessions.has(streamId)) {
				return;
			}
			if (sessions.size >= streamsMax) {
				throw new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_STREAMS_TOO_MANY', {
					message: `This box serves ${streamsMax} streams already; end one of them.`,
					retryable: true,
				});
			}
			sessions.set(
				streamId,
				openSession({streamId, request, order, options, onClosed: () => sessions.delete(streamId)}),
			);
		},
		[Symbol.asyncDispose]: async () => {
			stop();
			await Promise.all(
				[...sessions.values()].map((session) =>
					session.close({code: 'DIAGNOSTICS_STREAM_EXPIRED', message: 'The box’s supervisor stops.'}),
				),
			);
		},
	};
};

type SessionOptions = {
	readonly streamId: string;
	readonly request: StreamRequest;
	readonly order: string | undefined;
	readonly options: StreamSessionsOptions;
	readonly onClosed: () => void;
};

/** Whoever waits at the other end hears at once why there will be nothing. */
const openSession = (session: SessionOptions): Session => {
	try {
		return new Session(session);
	} catch (error) {
		const {streamId, options} = session;
		const channel = options.link.openChannel(streamId, () => undefined);
		const code = (errorCode(error) ?? 'DIAGNOSTICS_NOT_HERE').slice(0, 64);
		channel.send({kind: 'close', reason: {code, message: errorMessage(error).slice(0, 1024)}});
		channel[Symbol.dispose]();
		throw error;
	}
};

/** One stream. It ends once, by `close`, for whichever reason comes first. */
class Session {
	readonly #options: StreamSessionsOptions;
	readonly #clock: Clock;
	readonly #channel;
	readonly #source: StreamSource;
	readonly #flow: FrameFlow;
	readonly #onClosed: () => void;
	readonly #limits: {readonly idleMs: number; readonly totalMs: number};
	readonly #ended = new AbortController();
	readonly #openedMs: number;
	#heardMs: number;
	#usedMs: number;

	constructor({streamId, request, order, options, onClosed}: SessionOptions) {
		this.#options = options;
		this.#clock = options.clock ?? systemClock;
		this.#onClosed = onClosed;
		this.#openedMs = this.#clock.monotonicMs();
		this.#heardMs = this.#openedMs;
		this.#usedMs = this.#openedMs;
		this.#limits =
			request.kind === 'terminal'
				? {idleMs: request.idleTimeoutMs, totalMs: request.totalTimeoutMs}
				: {idleMs: Number.POSITIVE_INFINITY, totalMs: logTotalMs};
		const listener: StreamListener = {
			onText: (text) => {
				this.#flow.write(text);
				if (!this.#flow.writable) {
					this.#source.pause();
				}
			},
			onEnd: (reason) => void this.close(reason),
		};
		this.#source = options.open(request, listener, order);
		this.#channel = options.link.openChannel(streamId, (frame) => this.#take(frame));
		this.#flow = new FrameFlow({
			send: (frame) => this.#channel.send(frame),
			onData: (text) => {
				this.#usedMs = this.#clock.monotonicMs();
				this.#source.write(text);
			},
			onDrain: () => this.#source.resume(),
			...(options.windowChars === undefined ? {} : {windowChars: options.windowChars}),
		});
		// The first sign of life: a log may have nothing to say for long.
		this.#flow.acknowledge();
		void this.#watch();
	}

	/** The fleet may have missed what was under way when the link broke, and we what it said. */
	onConnected(): void {
		this.#channel.send({kind: 'resume', after: this.#flow.received});
		this.#flow.resend();
	}

	async close(reason: Reason): Promise<void> {
		if (this.#ended.signal.aborted) {
			return;
		}
		this.#ended.abort();
		this.#onClosed();
		this.#options.logger.info({reason: reason.code}, 'stream ended');
		this.#channel.send({kind: 'close', reason});
		this.#channel[Symbol.dispose]();
		await this.#source[Symbol.asyncDispose]();
	}

	#take(frame: StreamFrame): void {
		this.#heardMs = this.#clock.monotonicMs();
		switch (frame.kind) {
			case 'data':
			case 'ack':
			case 'resume':
				this.#flow.take(frame);
				break;
			case 'resize':
				this.#source.resize(frame);
				break;
			case 'close':
				void this.close(frame.reason);
				break;
		}
	}

	async #watch(): Promise<void> {
		const {signal} = this.#ended;
		const lifeMs = (this.#options.linkLossMs ?? linkLossMsDefault) / 4;
		let toldMs = this.#clock.monotonicMs();
		while (!signal.aborted) {
			await sleep(this.#options.tickMs ?? 1000, {signal}).catch(() => undefined);
			const nowMs = this.#clock.monotonicMs();
			if (!signal.aborted && nowMs - toldMs >= lifeMs) {
				toldMs = nowMs;
				this.#flow.acknowledge();
			}
			const reason = this.#overdue();
			if (reason !== undefined) {
				await this.close(reason);
			}
		}
	}

	#overdue(): Reason | undefined {
		const nowMs = this.#clock.monotonicMs();
		if (nowMs - this.#heardMs > (this.#options.linkLossMs ?? linkLossMsDefault)) {
			return {code: 'DIAGNOSTICS_STREAM_LINK_LOST', message: 'The link was lost for too long.'};
		}
		if (nowMs - this.#usedMs > this.#limits.idleMs) {
			return {code: 'DIAGNOSTICS_STREAM_IDLE', message: 'Nobody typed for too long.'};
		}
		return nowMs - this.#openedMs > this.#limits.totalMs
			? {code: 'DIAGNOSTICS_STREAM_EXPIRED', message: 'The stream has lasted as long as it may.'}
			: undefined;
	}
}
