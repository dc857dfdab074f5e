import path from 'node:path';
import {orderKeySchema} from '#appliance/identity/claim-schema.ts';
import type {createAccounts} from '#ota/fleet/account/create-accounts.ts';
import {createAlertPart} from '#ota/fleet/alert/create-alert-part.ts';
import {createAuditEndpoints} from '#ota/fleet/audit/audit-endpoints.ts';
import type {AuditLog} from '#ota/fleet/audit/audit-log.ts';
import {createAuthorityPart} from '#ota/fleet/authority/authority-part.ts';
import {estPath} from '#ota/fleet/authority/est-routes.ts';
import type {Trust} from '#ota/fleet/authority/open-trust.ts';
import {createBridgePart} from '#ota/fleet/bridge/create-bridge-part.ts';
import {measureOutbox} from '#ota/fleet/bridge/outbox.ts';
import {bulkEndpoint} from '#ota/fleet/command/bulk-endpoint.ts';
import type {CommandDesk} from '#ota/fleet/command/command-desk.ts';
import {commandEndpoints} from '#ota/fleet/command/command-endpoints.ts';
import {createCommandDesk} from '#ota/fleet/command/create-command-desk.ts';
import type {FleetConfig} from '#ota/fleet/config/fleet-config-schema.ts';
import {createDiagnosticsPart, type DiagnosticsPart} from '#ota/fleet/diagnostics/create-diagnostics-part.ts';
import type {FleetContext, FleetPart} from '#ota/fleet/fleet-part.ts';
import {createMetricsPart} from '#ota/fleet/metrics/create-metrics-part.ts';
import {createS3Objects} from '#ota/fleet/object/s3-objects.ts';
import type {OrderDesk} from '#ota/fleet/order/order-desk.ts';
import {orderKeyEndpoints} from '#ota/fleet/order/order-key-endpoints.ts';
import {consolePage} from '#ota/fleet/page/console-page.ts';
import {boxEndpoints} from '#ota/fleet/registry/box-endpoints.ts';
import {recordEndpoints} from '#ota/fleet/registry/record-endpoints.ts';
import {siteEndpoints} from '#ota/fleet/registry/site-endpoints.ts';
import {createReleasePart} from '#ota/fleet/release/create-release-part.ts';
import {createRolloutPart} from '#ota/fleet/rollout/create-rollout-part.ts';
import type {FleetBroker} from '#ota/fleet/server/fleet-broker.ts';
import type {Leases} from '#ota/fleet/server/leases.ts';
import type {AnyMiddleware} from '#ota/fleet/server/start-operator-server.ts';

export type FleetPartsOptions = {
	readonly config: FleetConfig;
	readonly stateDirectory: string;
	readonly trust: Trust;
	readonly broker: FleetBroker;
	readonly leases: Leases;
	readonly orderDesk: OrderDesk;
	readonly accounts: ReturnType<typeof createAccounts>;
	readonly audit: AuditLog;
	readonly wakeBroker: () => void;
	readonly deviceUrl: string;
	readonly brokerUrl: string;
	readonly releaseCaPem: string;
};

export type FleetParts = {
	readonly all: readonly FleetPart[];
	/** Beside the API, on the operators' listener. */
	readonly middleware: readonly AnyMiddleware[];
	readonly orderDesk: OrderDesk;
	readonly commandDesk: CommandDesk;
	readonly attachStreams: DiagnosticsPart['attachStreams'];
};

/** Every part of the server, each given what it needs of the others. */
export const fleetParts = (context: FleetContext, options: FleetPartsOptions): FleetParts => {
	const {config, orderDesk, leases, broker, accounts, stateDirectory} = options;
	const {database} = context.store;
	const commandDesk = createCommandDesk({...context, broker, orderDesk, leases});
	const s3 = config.diagnostics.s3 ?? config.release.s3;
	const diagnostics = createDiagnosticsPart(context, {
		...{directory: path.join(stateDirectory, 'diagnostics'), broker, commands: commandDesk},
		...{authenticate: accounts.authenticate, writeAudit: options.audit.write},
		objects: s3 === undefined ? undefined : createS3Objects(s3),
		...{deviceUrl: () => options.deviceUrl, publicUrl: config.operator.publicUrl},
	});
	const metrics = createMetricsPart(context, {authenticate: accounts.authenticate});
	const all: readonly FleetPart[] = [
		accounts.part,
		{endpoints: createAuditEndpoints(options.audit)},
		authorityPart(context, options),
		{
			endpoints: [
				...boxEndpoints({...context, orderDesk}),
				...recordEndpoints({database}),
				...siteEndpoints({...context, orderDesk, countAlerts: () => countAlerts(context)}),
			],
		},
		{endpoints: orderKeyEndpoints({database, orderDesk})},
		{
			...commandDesk,
			endpoints: [
				...commandEndpoints({database, desk: commandDesk}),
				bulkEndpoint({...context, desk: commandDesk, writeAudit: options.audit.write}),
			],
		},
		createReleasePart(context, {
			directory: path.join(stateDirectory, 'release'),
			s3: config.release.s3,
			releaseCaPem: options.releaseCaPem,
		}),
		createRolloutPart(context, {
			desk: orderDesk,
			leases,
			deviceUrl: options.deviceUrl,
			objectBaseUri: config.carousel.objectBaseUri,
			headendUrls: config.carousel.headendUrls,
		}),
		diagnostics,
		alertPart(context, options),
		...(config.kafka === undefined ? [] : [createBridgePart(context, {settings: config.kafka, leases})]),
		metrics,
	];
	return {
		all,
		middleware: [metrics.router.routes(), consolePage()],
		attachStreams: diagnostics.attachStreams,
		orderDesk,
		commandDesk,
	};
};

const authorityPart = (context: FleetContext, options: FleetPartsOptions): FleetPart =>
	createAuthorityPart(context, {
		trust: options.trust,
		onRevoked: options.wakeBroker,
		claimFile: async () => ({
			version: 1,
			fleet: options.config.fleet,
			estUrl: `${options.deviceUrl}${estPath}`,
			brokerUrl: options.brokerUrl,
			deviceUrl: options.deviceUrl,
			caPem: options.trust.authority.caPem,
			orderKey: orderKeySchema.parse(await options.orderDesk.publicKey()),
			releaseCaPem: options.releaseCaPem,
		}),
	});

const alertPart = (context: FleetContext, {config, leases}: FleetPartsOptions): FleetPart => {
	const {kafka, smtp} = config;
	return createAlertPart(context, {
		leases,
		...(smtp === undefined ? {} : {smtp}),
		...(kafka === undefined
			? {}
			: {
					measureOutbox: async () => ({
						...(await measureOutbox(context.store.database)),
						bytesMax: kafka.outboxBytesMax,
					}),
				}),
	});
};

const countAlerts = async ({store: {database}}: FleetContext): Promise<{warning: number; critical: number}> => {
	const rows = await database
		.selectFrom('alert')
		.select('severity')
		.select((select) => select.fn.countAll<number>().as('count'))
		.where('state', '=', 'raised')
		.where('acknowledged_ms', 'is', null)
		.groupBy('severity')
		.execute();
	const of = (severity: string): number => Number(rows.find((row) => row.severity === severity)?.count ?? 0);
	return {warning: of('warning'), critical: of('critical')};
};
