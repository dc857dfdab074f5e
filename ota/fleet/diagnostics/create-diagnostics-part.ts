import type {Server} from 'node:http';
import {sleep} from '#appliance/time/sleep.ts';
import type {Authenticate} from '#ota/fleet/api/identity.ts';
import type {WriteAudit} from '#ota/fleet/audit/audit-entry.ts';
import type {CommandDesk} from '#ota/fleet/command/command-desk.ts';
import {attachStreams} from '#ota/fleet/diagnostics/attach-streams.ts';
import {createDiagnosticsEndpoints, removeItem} from '#ota/fleet/diagnostics/diagnostics-endpoints.ts';
import {type DiagnosticsLimits, diagnosticsLimits} from '#ota/fleet/diagnostics/diagnostics-limits.ts';
import {listExpired, listOverdue, noteFailed, noteReady} from '#ota/fleet/diagnostics/diagnostics-repository.ts';
import {createDiskItems} from '#ota/fleet/diagnostics/disk-items.ts';
import type {ItemStore} from '#ota/fleet/diagnostics/item-store.ts';
import {createObjectItems} from '#ota/fleet/diagnostics/object-items.ts';
import {StreamBridge} from '#ota/fleet/diagnostics/stream-bridge.ts';
import {createUploadRoutes} from '#ota/fleet/diagnostics/upload-routes.ts';
import {Uploads} from '#ota/fleet/diagnostics/uploads.ts';
import type {FleetContext, FleetPart, IngestBatch} from '#ota/fleet/fleet-part.ts';
import type {ObjectStore} from '#ota/fleet/object/object-store.ts';
import type {FleetBroker} from '#ota/fleet/server/fleet-broker.ts';

const sweepMs = 60_000;

export type DiagnosticsPartOptions = {
	/** For what boxes upload and for recordings where there is no `objects`; then shared by servers that share the work. */
	readonly directory: string;
	readonly objects?: ObjectStore | undefined;
	readonly broker: FleetBroker;
	readonly commands: Pick<CommandDesk, 'give'>;
	/** Base of the listener for boxes, as boxes reach it. */
	readonly deviceUrl: () => string;
	readonly authenticate: Authenticate;
	readonly writeAudit: WriteAudit;
	readonly publicUrl?: string | undefined;
	readonly limits?: Partial<DiagnosticsLimits>;
	readonly tickMs?: number;
	readonly pingMs?: number;
};

export type DiagnosticsPart = FleetPart & {
	/** Takes the upgrades of `/api/v1/boxes/{id}/streams` on the operators' server. Disposal ends every stream. */
	readonly attachStreams: (server: Server) => AsyncDisposable;
};

/** Bundles, captures, terminals and logs of boxes. */
export const createDiagnosticsPart = (context: FleetContext, options: DiagnosticsPartOptions): DiagnosticsPart => {
	const {directory, broker, commands, authenticate, writeAudit, publicUrl, deviceUrl} = options;
	const limits = {...diagnosticsLimits, ...options.limits};
	const logger = context.logger.child({component: 'diagnostics'});
	const items = createItems(context, directory, options.objects);
	const uploads = new Uploads({context, items, limits});
	return {
		endpoints: createDiagnosticsEndpoints({context, items, limits, commands, deviceUrl}),
		deviceRoutes: createUploadRoutes(uploads),
		afterIngest: (batch) => {
			void noteFailures(context, batch).catch((error: unknown) =>
				logger.warn({err: error}, 'a failed upload was not noted'),
			);
		},
		attachStreams: (server) => {
			const bridge = new StreamBridge({
				...{context, broker, commands, limits, items},
				...(options.tickMs === undefined ? {} : {tickMs: options.tickMs}),
			});
			const attached = attachStreams(server, {
				...{bridge, authenticate, writeAudit, logger, publicUrl},
				pingMs: options.pingMs,
			});
			return {
				[Symbol.asyncDispose]: async () => {
					await bridge[Symbol.asyncDispose]();
					attached[Symbol.dispose]();
				},
			};
		},
		start: () => {
			const stop = new AbortController();
			const signal = AbortSignal.any([context.signal, stop.signal]);
			const run = async (): Promise<void> => {
				while (!signal.aborted) {
					await sweep(context, items).catch((error: unknown) => logger.warn({err: error}, 'could not tidy up'));
					await sleep(sweepMs, {signal}).catch(() => undefined);
				}
			};
			const running = run();
			return Promise.resolve({
				[Symbol.asyncDispose]: async () => {
					stop.abort();
					await running;
				},
			});
		},
	};
};

const createItems = (context: FleetContext, directory: string, objects: ObjectStore | undefined): ItemStore => {
	const disk = createDiskItems({directory});
	return objects === undefined ? disk : createObjectItems({objects, database: context.store.database, older: disk});
};

/** A command bears the id of the item that it is to bring: when it fails, nothing will come. */
const noteFailures = async (context: FleetContext, {replies}: IngestBatch): Promise<void> => {
	for (const {reply} of replies) {
		if (reply.state !== 'failed' && reply.state !== 'refused') {
			continue;
		}
		const error = reply.error ?? {code: 'OTA_INTERNAL', message: 'The box did not say why.'};
		if (await noteFailed(context.store.database, reply.id, error)) {
			context.changes.publish({kind: 'diagnostics', ids: [reply.id]});
		}
	}
};

/** What did not come is failed, and what was kept long enough goes. Safe to do on several servers at once. */
export const sweep = async (context: FleetContext, items: ItemStore): Promise<void> => {
	const {store, clock, changes} = context;
	for (const {id, kind} of await listOverdue(store.database, clock.nowMs())) {
		const recorded = kind === 'recording' ? await items.open(id) : undefined;
		if (recorded !== undefined) {
			// The server that wrote it died; the audit has what was recorded until then.
			await noteReady(store.database, {id, sizeBytes: recorded.sizeBytes, nowMs: clock.nowMs()});
		} else {
			await noteFailed(store.database, id, {code: 'OTA_UPLOAD_OVER', message: 'It did not come in time.'});
		}
		changes.publish({kind: 'diagnostics', ids: [id]});
	}
	for (const {id} of await listExpired(store.database, clock.nowMs())) {
		await removeItem({context, items}, id);
	}
	await items.tidy();
};
