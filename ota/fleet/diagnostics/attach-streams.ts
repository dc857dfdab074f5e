import {type IncomingMessage, type Server, STATUS_CODES} from 'node:http';
import type {Duplex} from 'node:stream';
import {type WebSocket, WebSocketServer} from 'ws';
import {type DeviceId, deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {CodedError, errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {type StreamQuery, streamQuerySchema, streamSubprotocol} from '#ota/contract/diagnostics-api.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';
import {problemOf} from '#ota/fleet/api/create-api.ts';
import type {Actor} from '#ota/fleet/api/endpoint.ts';
import {type Authenticate, mayDo} from '#ota/fleet/api/identity.ts';
import {isSameOrigin} from '#ota/fleet/api/same-origin.ts';
import type {WriteAudit} from '#ota/fleet/audit/audit-entry.ts';
import type {StreamPage} from '#ota/fleet/diagnostics/bridged-stream.ts';
import {roleFor, type StreamBridge} from '#ota/fleet/diagnostics/stream-bridge.ts';

const streamPath = /^\/api\/v1\/boxes\/([^/?]{1,64})\/streams$/u;
/** A frame of the most characters, each of them escaped. */
const messageBytesMax = 128 * 1024;
/** A page that reads so slowly is not there; what it lacks it gets when it comes back. */
const pageBytesMax = 8 * 1024 ** 2;
const pingMs = 15_000;

export type AttachStreamsOptions = {
	readonly bridge: StreamBridge;
	readonly authenticate: Authenticate;
	readonly writeAudit: WriteAudit;
	readonly logger: Logger;
	/** Where people reach the server, when a proxy stands before it. */
	readonly publicUrl?: string | undefined;
	readonly pingMs?: number | undefined;
};

/** Takes WebSocket upgrades of streams on the operators' server; other paths are not ours. */
export const attachStreams = (server: Server, options: AttachStreamsOptions): Disposable => {
	const sockets = new WebSocketServer({
		...{noServer: true, maxPayload: messageBytesMax, perMessageDeflate: false},
		handleProtocols: (offered) => (offered.has(streamSubprotocol) ? streamSubprotocol : false),
	});
	const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
		// Node has taken its own listener away; a client that resets would end the process.
		socket.on('error', () => socket.destroy());
		const url = URL.parse(request.url ?? '', 'http://fleet');
		const name = streamPath.exec(url?.pathname ?? '')?.[1];
		if (url === null || name === undefined) {
			refuse(socket, 404, 'There is no such path.');
			return;
		}
		void admit({request, query: url.searchParams, name, options})
			.then(async (admitted) => await openFor(sockets, {request, socket, head, admitted, options}))
			.catch((error: unknown) => {
				const {status} = problemOf(error);
				options.logger[status < 500 ? 'debug' : 'warn']({err: error}, 'stream refused');
				refuse(socket, status, error instanceof CodedError ? errorMessage(error) : 'The stream could not be opened.');
			});
	};
	server.on('upgrade', onUpgrade);
	return {
		[Symbol.dispose]: () => {
			server.off('upgrade', onUpgrade);
			for (const client of sockets.clients) {
				client.terminate();
			}
			sockets.close();
		},
	};
};

type Admitted = {readonly box: DeviceId; readonly actor: Actor; readonly query: StreamQuery};

const admit = async (asked: {
	readonly request: IncomingMessage;
	readonly query: URLSearchParams;
	readonly name: string;
	readonly options: AttachStreamsOptions;
}): Promise<Admitted> => {
	const {request, options} = asked;
	const identity = await options.authenticate(request.headers);
	if (identity === undefined || identity.mustChangePassword) {
		throw apiError('OTA_API_UNAUTHENTICATED', {status: 401, message: 'Sign in first.'});
	}
	// A WebSocket is not bound to one origin by the browser (RFC 6455 section 10.2), so that we bind it.
	if (identity.kind === 'session' && !isSameOrigin(request.headers, options.publicUrl)) {
		throw apiError('OTA_API_ORIGIN_FOREIGN', {status: 403, message: 'Another site may not open streams.'});
	}
	const box = deviceIdSchema.safeParse(asked.name);
	const query = streamQuerySchema.safeParse(Object.fromEntries(asked.query));
	if (!box.success || !query.success) {
		throw apiError('OTA_API_INVALID', {status: 400, message: 'The stream’s box or query is not valid.'});
	}
	if (!mayDo(identity.actor.role, roleFor(query.data))) {
		await writeAudit(options, asked.request, {box: box.data, actor: identity.actor, query: query.data}, 403);
		throw apiError('OTA_API_FORBIDDEN', {status: 403, message: 'Your role does not allow this stream.'});
	}
	return {box: box.data, actor: identity.actor, query: query.data};
};

const openFor = async (
	sockets: WebSocketServer,
	asked: {
		readonly request: IncomingMessage;
		readonly socket: Duplex;
		readonly head: Buffer;
		readonly admitted: Admitted;
		readonly options: AttachStreamsOptions;
	},
): Promise<void> => {
	const {request, socket, head, admitted, options} = asked;
	const {query, box, actor} = admitted;
	if (query.kind !== 'resume') {
		await writeAudit(options, request, admitted, 101);
	}
	const stream =
		query.kind === 'resume'
			? options.bridge.resume(query.token, {box, actor})
			: await options.bridge.open(query, {box, actor});
	sockets.handleUpgrade(request, socket, head, (connection) => {
		const page = pageOf(connection);
		connection.on('message', (data, isBinary) => stream.fromPage(isBinary ? '' : String(data)));
		connection.on('close', () => stream.detach(page));
		connection.on('error', () => connection.terminate());
		keepAlive(
			connection,
			async () => await mayGoOn(request, admitted, options),
			() => stream.end('OTA_STREAM_ENDED', 'You are signed out, or may not do this any more.'),
			options.pingMs,
		);
		stream.attach(page, query.kind === 'resume' ? query.after : 0);
	});
};

const pageOf = (connection: WebSocket): StreamPage => ({
	send: (message) => {
		if (connection.bufferedAmount > pageBytesMax) {
			connection.terminate();
		} else if (connection.readyState === connection.OPEN) {
			connection.send(JSON.stringify(message), () => undefined);
		}
	},
	close: () => connection.close(1000),
});

/** A connection outlives what admitted it: a session that was ended, a role that was taken away. */
const mayGoOn = async (
	{headers}: IncomingMessage,
	{actor, query}: Admitted,
	{authenticate, bridge}: AttachStreamsOptions,
): Promise<boolean> => {
	const identity = await authenticate(headers);
	// What is taken up again is no less than what was opened.
	const least = query.kind === 'resume' ? bridge.roleOf(query.token) : roleFor(query);
	return identity?.actor.id === actor.id && !identity.mustChangePassword && mayDo(identity.actor.role, least);
};

/** A page whose line is cut says nothing: two pings without an answer, and it counts as gone. */
const keepAlive = (connection: WebSocket, mayGo: () => Promise<boolean>, end: () => void, everyMs = pingMs): void => {
	let answered = true;
	const timer = setInterval(() => {
		if (!answered) {
			connection.terminate();
			return;
		}
		answered = false;
		connection.ping(() => undefined);
		// A database that does not answer at the moment takes nobody's terminal away.
		void mayGo().then(
			(may) => may || end(),
			() => undefined,
		);
	}, everyMs);
	connection.on('pong', () => {
		answered = true;
	});
	connection.on('close', () => clearInterval(timer));
};

const refuse = (socket: Duplex, status: number, message: string): void => {
	const body = `${message}\n`;
	socket.end(
		[
			`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`,
			'Connection: close',
			'Content-Type: text/plain; charset=utf-8',
			`Content-Length: ${Buffer.byteLength(body)}`,
			'',
			body,
		].join('\r\n'),
	);
};

const writeAudit = async (
	{writeAudit: write}: AttachStreamsOptions,
	request: IncomingMessage,
	{box, actor, query}: Admitted,
	status: 101 | 403,
): Promise<void> => {
	const {kind, ...detail} = query;
	await write({
		...{actorId: actor.id, actorName: actor.name, actorRole: actor.role, action: `openStream ${kind}`, method: 'GET'},
		...{path: `/api/v1/boxes/${box}/streams`, box, outcome: status === 101 ? 'done' : 'refused', status},
		...{code: status === 101 ? null : 'OTA_API_FORBIDDEN', address: request.socket.remoteAddress ?? ''},
		detail: JSON.stringify(detail),
	});
};
