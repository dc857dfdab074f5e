import {randomBytes, randomUUID} from 'node:crypto';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import type {CommandArguments} from '#appliance/contract/fleet/command-schema.ts';
import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import {streamTopic} from '#appliance/contract/fleet/topic.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {StreamQuery} from '#ota/contract/diagnostics-api.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';
import type {Actor} from '#ota/fleet/api/endpoint.ts';
import {mayDo} from '#ota/fleet/api/identity.ts';
import type {CommandDesk} from '#ota/fleet/command/command-desk.ts';
import {BridgedStream} from '#ota/fleet/diagnostics/bridged-stream.ts';
import type {DiagnosticsServerErrorCode} from '#ota/fleet/diagnostics/diagnostics-error.ts';
import type {DiagnosticsLimits} from '#ota/fleet/diagnostics/diagnostics-limits.ts';
import {deleteItem, insertItem, noteReady} from '#ota/fleet/diagnostics/diagnostics-repository.ts';
import type {ItemStore} from '#ota/fleet/diagnostics/item-store.ts';
import {StreamRecording} from '#ota/fleet/diagnostics/stream-recording.ts';
import type {FleetContext} from '#ota/fleet/fleet-part.ts';
import type {FleetBroker} from '#ota/fleet/server/fleet-broker.ts';

const tokenBytes = 24;

export type StreamBridgeOptions = {
	readonly context: FleetContext;
	readonly broker: Pick<FleetBroker, 'publish' | 'subscribe' | 'onConnected'>;
	readonly commands: Pick<CommandDesk, 'give'>;
	readonly limits: DiagnosticsLimits;
	/** Where recordings of streams go. */
	readonly items: Pick<ItemStore, 'record'>;
	readonly tickMs?: number;
};

type Opening = Exclude<StreamQuery, {kind: 'resume'}>;

type Held = {
	readonly stream: BridgedStream;
	readonly box: DeviceId;
	readonly actorId: string;
	/** The least role that may have it, now as when it was opened. */
	readonly role: Actor['role'];
	readonly resources: AsyncDisposableStack;
};

/** The streams that this server bridges, by their token. */
export class StreamBridge implements AsyncDisposable {
	readonly #options: StreamBridgeOptions;
	readonly #held = new Map<string, Held>();
	readonly #ended = new AbortController();
	readonly #closing = new Set<Promise<void>>();
	#opening = 0;

	constructor(options: StreamBridgeOptions) {
		this.#options = options;
		void this.#watch();
		const stop = options.broker.onConnected(() => {
			for (const {stream} of this.#held.values()) {
				stream.onBroker();
			}
		});
		this.#ended.signal.addEventListener('abort', stop, {once: true});
	}

	get count(): number {
		return this.#held.size;
	}

	/** The stream of a token, if it is this person's and this box's. */
	resume(token: string, {box, actor}: {readonly box: DeviceId; readonly actor: Actor}): BridgedStream {
		const held = this.#held.get(token);
		if (held === undefined || held.box !== box || held.actorId !== actor.id) {
			throw apiError<DiagnosticsServerErrorCode>('OTA_STREAM_ENDED', {status: 404, message: 'This stream has ended.'});
		}
		if (!mayDo(actor.role, held.role)) {
			throw apiError('OTA_API_FORBIDDEN', {status: 403, message: 'Your role does not allow this stream any more.'});
		}
		return held.stream;
	}

	/** What a role must be at least to go on with the stream of a token. */
	roleOf(token: string): Actor['role'] {
		return this.#held.get(token)?.role ?? 'operator';
	}

	async open(opening: Opening, {box, actor}: {readonly box: DeviceId; readonly actor: Actor}): Promise<BridgedStream> {
		this.#refuseTooMany(actor);
		this.#opening += 1;
		try {
			return await this.#open(opening, box, actor);
		} finally {
			this.#opening -= 1;
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#ended.abort();
		for (const {stream} of [...this.#held.values()]) {
			stream.end('OTA_STREAM_ENDED', 'The fleet server stops.');
		}
		await Promise.all(this.#closing);
	}

	async #open(opening: Opening, box: DeviceId, actor: Actor): Promise<BridgedStream> {
		const {broker, commands, limits, context} = this.#options;
		const streamId = randomUUID();
		const token = randomBytes(tokenBytes).toString('base64url');
		await using stack = new AsyncDisposableStack();
		const recording =
			opening.kind === 'terminal' ? stack.use(await this.#record(streamId, {opening, box, actor})) : undefined;
		const stream = new BridgedStream({
			...{box, streamId, token, broker, recording, limits, clock: context.clock},
			onEnded: (reason) => this.#forget(token, {streamId, recording, reason}),
		});
		// Before the box is asked, so that nothing that it says is missed.
		const heard = await broker.subscribe(streamTopic(box, streamId, 'out'), ({payload}) => {
			stream.fromBox(payload);
			return undefined;
		});
		stack.use(heard);
		await commands.give({
			...{box, name: 'open-stream', actor: actor.name, timeoutMs: limits.openTimeoutMs},
			arguments: {streamId, stream: streamOf(opening, limits)},
		});
		if (this.#ended.signal.aborted) {
			throw apiError<DiagnosticsServerErrorCode>('OTA_STREAM_ENDED', {status: 503, message: 'The fleet server stops.'});
		}
		this.#held.set(token, {stream, box, actorId: actor.id, role: roleFor(opening), resources: stack.move()});
		return stream;
	}

	async #record(
		streamId: string,
		{
			opening,
			box,
			actor,
		}: {readonly opening: Extract<Opening, {kind: 'terminal'}>; readonly box: DeviceId; readonly actor: Actor},
	): Promise<StreamRecording> {
		const {context, limits, items} = this.#options;
		const nowMs = context.clock.nowMs();
		const title = `${box} by ${actor.name}${opening.elevated === 'true' ? ', elevated' : ''}`;
		const header = {columns: opening.columns, rows: opening.rows, startedMs: nowMs, title};
		const stamp = new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '');
		await insertItem(context.store.database, {
			...{id: streamId, box, kind: 'recording', state: 'receiving', actor: actor.name, created_ms: nowMs},
			...{ready_ms: null, size_bytes: 0, error: null, file_name: `${box}-${stamp}.cast`},
			...{deadline_ms: nowMs + limits.terminalTotalMs + limits.resumeMs * 4},
			expires_ms: nowMs + limits.recordingRetentionMs,
		});
		const sink = await items.record(streamId).catch(async (error: unknown) => {
			await deleteItem(context.store.database, streamId);
			throw error;
		});
		context.changes.publish({kind: 'diagnostics', ids: [streamId]});
		return StreamRecording.create(sink, header, limits.recordingBytesMax);
	}

	#refuseTooMany({id}: Actor): void {
		const {limits} = this.#options;
		const own = [...this.#held.values()].filter(({actorId}) => actorId === id).length;
		if (this.#held.size + this.#opening >= limits.streamsMax || own >= limits.streamsPerActorMax) {
			throw apiError<DiagnosticsServerErrorCode>('OTA_STREAMS_TOO_MANY', {
				status: 429,
				message: 'Too many streams are open: end one of them.',
			});
		}
	}

	#forget(
		token: string,
		{
			streamId,
			recording,
			reason,
		}: {readonly streamId: string; readonly recording: StreamRecording | undefined; readonly reason: Reason},
	): void {
		const held = this.#held.get(token);
		this.#held.delete(token);
		const {context} = this.#options;
		context.logger.info({streamId, reason: reason.code, box: held?.box}, 'stream ended');
		const close = async (): Promise<void> => {
			await held?.resources.disposeAsync();
			if (recording !== undefined) {
				const {sizeBytes} = recording;
				await noteReady(context.store.database, {id: streamId, sizeBytes, nowMs: context.clock.nowMs()});
				context.changes.publish({kind: 'diagnostics', ids: [streamId]});
			}
		};
		const closing = close()
			.catch((error: unknown) => context.logger.error({err: error, streamId}, 'a stream did not end cleanly'))
			.finally(() => this.#closing.delete(closing));
		this.#closing.add(closing);
	}

	async #watch(): Promise<void> {
		const {signal} = this.#ended;
		while (!signal.aborted) {
			await sleep(this.#options.tickMs ?? 1000, {signal}).catch(() => undefined);
			for (const {stream} of [...this.#held.values()]) {
				stream.tick();
			}
		}
	}
}

/** A shell as the superuser is for admins. */
export const roleFor = (query: StreamQuery): 'admin' | 'operator' =>
	query.kind === 'terminal' && query.elevated === 'true' ? 'admin' : 'operator';

const streamOf = (opening: Opening, limits: DiagnosticsLimits): CommandArguments<'open-stream'>['stream'] =>
	opening.kind === 'log'
		? opening
		: {
				...{kind: 'terminal', columns: opening.columns, rows: opening.rows, elevated: opening.elevated === 'true'},
				...{idleTimeoutMs: limits.terminalIdleMs, totalTimeoutMs: limits.terminalTotalMs},
			};
