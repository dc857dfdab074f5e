import {once} from 'node:events';
import {createServer, type Server} from 'node:https';
import type {AddressInfo, Socket} from 'node:net';
import type {ExecutionContext} from 'ava';
import {type DeviceId, deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {createApp} from '#appliance/http/create-app.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {type DiagnosticsLimits, diagnosticsLimits} from '#ota/fleet/diagnostics/diagnostics-limits.ts';
import {insertItem} from '#ota/fleet/diagnostics/diagnostics-repository.ts';
import {createDiskItems} from '#ota/fleet/diagnostics/disk-items.ts';
import type {ItemStore} from '#ota/fleet/diagnostics/item-store.ts';
import {createUploadRoutes} from '#ota/fleet/diagnostics/upload-routes.ts';
import {Uploads} from '#ota/fleet/diagnostics/uploads.ts';
import type {DatabaseEngine} from '#ota/fleet/store/open-fleet-database.ts';
import {createTestAuthority} from '#test/helper/test-authority.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {type TestFleetContext, withFleetContext} from '#test/helper/with-fleet-context.ts';

export type UploadServer = {
	readonly context: TestFleetContext;
	readonly items: ItemStore;
	readonly url: string;
	readonly caPem: string;
	readonly directory: string;
	/** An upload that is awaited of this box. */
	readonly await: (id: string, box?: string) => Promise<string>;
	/** Cuts each connection after so many bytes, until it is undefined again. */
	cutAfterBytes: number | undefined;
	/** The box that requests come from. */
	device: DeviceId | undefined;
};

export const uploadBox = deviceIdSchema.parse('box-1');

/** The fleet's upload routes by HTTPS, on which lines break as told. Who asks is told by the test. */
export const withUploadServer = async (
	t: ExecutionContext,
	options: {
		readonly engine?: DatabaseEngine;
		readonly limits?: Partial<DiagnosticsLimits>;
		/** Of a fleet with other servers. */
		readonly context?: TestFleetContext;
		/** Default a disk of its own. */
		readonly items?: ItemStore;
	} = {},
): Promise<UploadServer> => {
	const context = options.context ?? (await withFleetContext(t, options.engine));
	const directory = await withDirectory(t);
	const limits = {...diagnosticsLimits, ...options.limits};
	const items = options.items ?? createDiskItems({directory});
	const uploads = new Uploads({context, items, limits});
	const app = createApp({logger: silentLogger()});
	app.use(async (koa, next) => {
		koa.state['deviceId'] = upload.device;
		await next();
	});
	app.use(createUploadRoutes(uploads).routes());
	const authority = await createTestAuthority();
	const {certificatePem, keyPem} = await authority.issue('127.0.0.1', {server: true});
	const server: Server = createServer({cert: certificatePem, key: keyPem}, app.callback());
	server.on('connection', (socket: Socket) => {
		const {cutAfterBytes} = upload;
		socket.on('data', () => {
			if (cutAfterBytes !== undefined && socket.bytesRead > cutAfterBytes) {
				socket.destroy();
			}
		});
	});
	server.listen({host: '127.0.0.1', port: 0});
	await once(server, 'listening');
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const upload: UploadServer = {
		...{context, items, url, directory, caPem: authority.caPem, cutAfterBytes: undefined, device: uploadBox},
		await: async (id, box = uploadBox) => {
			const nowMs = context.clock.nowMs();
			await insertItem(context.store.database, {
				...{id, box, kind: 'bundle', state: 'requested', actor: 'test', created_ms: nowMs, ready_ms: null},
				...{size_bytes: 0, file_name: 'x', error: null, deadline_ms: nowMs + 60_000, expires_ms: nowMs + 1e9},
			});
			return `${url}/upload/${id}`;
		},
	};
	return upload;
};
