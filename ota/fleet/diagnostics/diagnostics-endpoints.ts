import {randomUUID} from 'node:crypto';
import {z} from 'zod';
import {type DeviceId, deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {errorCode, errorMessage} from '#appliance/error/coded-error.ts';
import {
	type DiagnosticsRequest,
	diagnosticsIdSchema,
	diagnosticsItemSchema,
	diagnosticsPageSchema,
	diagnosticsQuerySchema,
	diagnosticsRequestSchema,
} from '#ota/contract/diagnostics-api.ts';
import {apiError, notFound} from '#ota/fleet/api/api-error.ts';
import {type Actor, type AnyEndpoint, endpoint} from '#ota/fleet/api/endpoint.ts';
import {mayDo} from '#ota/fleet/api/identity.ts';
import type {CommandDesk} from '#ota/fleet/command/command-desk.ts';
import type {DiagnosticsServerErrorCode} from '#ota/fleet/diagnostics/diagnostics-error.ts';
import type {DiagnosticsLimits} from '#ota/fleet/diagnostics/diagnostics-limits.ts';
import {
	bytesOfBox,
	countAwaited,
	type DiagnosticsRow,
	deleteItem,
	findItem,
	insertItem,
	itemOf,
	listEvictable,
	listItems,
	noteFailed,
} from '#ota/fleet/diagnostics/diagnostics-repository.ts';
import type {ItemStore} from '#ota/fleet/diagnostics/item-store.ts';
import type {FleetContext} from '#ota/fleet/fleet-part.ts';

/** Beyond the command's own deadline, for a line that is slow. */
const uploadGraceMs = 10 * 60_000;
const captureUploadMs = 120_000;

const contentTypes: Readonly<Record<string, string>> = {
	bundle: 'application/gzip',
	capture: 'application/vnd.tcpdump.pcap',
	recording: 'application/x-asciicast',
};

const boxParameters = z.strictObject({id: deviceIdSchema});
const itemParameters = z.strictObject({itemId: diagnosticsIdSchema});
const shared = {tag: 'diagnostics'} as const;

export type DiagnosticsEndpointsOptions = {
	readonly context: FleetContext;
	readonly items: ItemStore;
	readonly limits: DiagnosticsLimits;
	readonly commands: Pick<CommandDesk, 'give'>;
	/** Base of the listener for boxes, as boxes reach it. */
	readonly deviceUrl: () => string;
};

export const createDiagnosticsEndpoints = (options: DiagnosticsEndpointsOptions): readonly AnyEndpoint[] => [
	endpoint({
		...{...shared, method: 'GET', path: '/diagnostics', operationId: 'listDiagnostics', role: 'viewer'},
		summary: 'Bundles, captures and recordings, the newest first',
		query: diagnosticsQuerySchema,
		answer: diagnosticsPageSchema,
		handle: async ({query}) => ({body: await listItems(options.context.store.database, query)}),
	}),
	endpoint({
		...{
			...shared,
			method: 'POST',
			path: '/boxes/{id}/diagnostics',
			operationId: 'requestDiagnostics',
			role: 'operator',
		},
		summary: 'Ask a box for a bundle or a capture of packets (admin); it is uploaded by the box',
		parameters: boxParameters,
		body: diagnosticsRequestSchema,
		answer: diagnosticsItemSchema,
		auditBox: ({id}) => id,
		handle: async ({parameters, body, actor}) => ({
			status: 202,
			body: itemOf(await requestItem(options, {box: parameters.id, body, actor})),
		}),
	}),
	endpoint({
		...{...shared, method: 'GET', path: '/diagnostics/{itemId}/content', operationId: 'downloadDiagnostics'},
		...{role: 'operator', contentType: 'application/octet-stream'},
		summary: 'The bytes; recordings are for admins',
		parameters: itemParameters,
		handle: async ({parameters, actor}) => {
			const row = await findItem(options.context.store.database, parameters.itemId);
			if (row === undefined) {
				throw notFound('diagnostics item');
			}
			if (row.kind === 'recording') {
				refuseUnlessAdmin(actor, 'Recordings of what people typed are for admins.');
			}
			// A recording is read while it grows, also when the server that wrote it has died.
			if (row.state !== 'ready' && row.kind !== 'recording') {
				throw apiError<DiagnosticsServerErrorCode>('OTA_DIAGNOSTICS_NOT_READY', {
					status: 409,
					message: 'It is not here yet.',
				});
			}
			const stored = await options.items.open(row.id);
			if (stored === undefined) {
				throw apiError<DiagnosticsServerErrorCode>('OTA_DIAGNOSTICS_ELSEWHERE', {
					status: 410,
					message: 'Its bytes are not here: they were deleted, or lie with another server of this fleet.',
				});
			}
			return {
				stream: stored.body(),
				headers: {
					'Content-Type': contentTypes[row.kind] ?? 'application/octet-stream',
					'Content-Length': String(stored.sizeBytes),
					'Content-Disposition': `attachment; filename="${row.file_name}"`,
				},
			};
		},
	}),
	endpoint({
		...{...shared, method: 'DELETE', path: '/diagnostics/{itemId}', operationId: 'deleteDiagnostics', role: 'admin'},
		summary: 'Delete one before its time',
		parameters: itemParameters,
		handle: async ({parameters}) => {
			const row = await findItem(options.context.store.database, parameters.itemId);
			if (row === undefined) {
				throw notFound('diagnostics item');
			}
			await removeItem(options, row.id);
			return {status: 204};
		},
	}),
];

const refuseUnlessAdmin = ({role}: Actor, message: string): void => {
	if (!mayDo(role, 'admin')) {
		throw apiError('OTA_API_FORBIDDEN', {status: 403, message});
	}
};

export const removeItem = async (
	{context, items}: Pick<DiagnosticsEndpointsOptions, 'context' | 'items'>,
	id: string,
): Promise<void> => {
	await items.remove(id);
	await deleteItem(context.store.database, id);
	context.changes.publish({kind: 'diagnostics', ids: [id]});
};

const requestItem = async (
	options: DiagnosticsEndpointsOptions,
	{box, body, actor}: {readonly box: DeviceId; readonly body: DiagnosticsRequest; readonly actor: Actor},
): Promise<DiagnosticsRow> => {
	const {context, limits} = options;
	if (body.kind === 'capture') {
		refuseUnlessAdmin(actor, 'What a capture takes may hold what a subscriber watched: it is for admins.');
	}
	if ((await countAwaited(context.store.database, box)) >= limits.awaitedPerBoxMax) {
		throw apiError<DiagnosticsServerErrorCode>('OTA_DIAGNOSTICS_TOO_MANY', {
			status: 409,
			message: 'This box is asked for enough already: wait for it.',
		});
	}
	await makeRoom(options, box);
	const row = rowOf({box, body, actor, nowMs: context.clock.nowMs(), limits});
	await insertItem(context.store.database, row);
	context.changes.publish({kind: 'diagnostics', ids: [row.id]});
	try {
		await giveCommand(options, row, {box, body, actor});
	} catch (error) {
		const reason = {
			code: (errorCode(error) ?? 'OTA_INTERNAL').slice(0, 64),
			message: errorMessage(error).slice(0, 1024),
		};
		await noteFailed(context.store.database, row.id, reason);
		throw error;
	}
	return row;
};

const rowOf = (options: {
	readonly box: DeviceId;
	readonly body: DiagnosticsRequest;
	readonly actor: Actor;
	readonly nowMs: number;
	readonly limits: DiagnosticsLimits;
}): DiagnosticsRow => {
	const {box, body, actor, nowMs, limits} = options;
	const stamp = new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '');
	return {
		...{
			id: randomUUID(),
			box,
			kind: body.kind,
			state: 'requested',
			actor: actor.name,
			created_ms: nowMs,
			ready_ms: null,
		},
		...{size_bytes: 0, error: null, file_name: `${box}-${stamp}.${body.kind === 'bundle' ? 'tar.gz' : 'pcap'}`},
		...{deadline_ms: nowMs + timeoutOf(body) + uploadGraceMs, expires_ms: nowMs + limits.retentionMs},
	};
};

const timeoutOf = (body: DiagnosticsRequest): number =>
	body.kind === 'bundle' ? body.deadlineMs : body.seconds * 1000 + captureUploadMs;

const giveCommand = async (
	{commands, deviceUrl}: DiagnosticsEndpointsOptions,
	{id}: DiagnosticsRow,
	{box, body, actor}: {readonly box: DeviceId; readonly body: DiagnosticsRequest; readonly actor: Actor},
): Promise<void> => {
	const uploadUrl = new URL(`/upload/${id}`, deviceUrl()).href;
	const given = {id, box, actor: actor.name, timeoutMs: timeoutOf(body)};
	if (body.kind === 'bundle') {
		const {deadlineMs} = body;
		await commands.give({...given, name: 'collect-diagnostics', arguments: {uploadUrl, deadlineMs}});
	} else {
		const {kind: _kind, ...request} = body;
		await commands.give({...given, name: 'capture-packets', arguments: {uploadUrl, ...request}});
	}
};

/** The oldest give way, so that a box that is looked at often can be looked at again. */
const makeRoom = async (options: DiagnosticsEndpointsOptions, box: DeviceId): Promise<void> => {
	const {context, limits} = options;
	let bytes = await bytesOfBox(context.store.database, box, '');
	for (const row of await listEvictable(context.store.database, box)) {
		if (bytes + limits.uploadBytesMax <= limits.boxBytesMax) {
			return;
		}
		await removeItem(options, row.id);
		bytes -= row.size_bytes;
	}
};
