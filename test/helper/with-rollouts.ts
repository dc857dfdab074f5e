import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {updateOrderSchema} from '#appliance/contract/fleet/order-schema.ts';
import type {FetchedBytes, UpdatePhase} from '#appliance/contract/fleet/update-schema.ts';
import {type Rollout, type RolloutCreate, rolloutCreateSchema} from '#ota/contract/rollout-api.ts';
import type {IngestBatch} from '#ota/fleet/fleet-part.ts';
import {createOrderDesk} from '#ota/fleet/order/create-order-desk.ts';
import {openOrderKeys} from '#ota/fleet/order/order-keys.ts';
import {releaseSortKey} from '#ota/fleet/registry/release-sort-key.ts';
import {insertRelease, markPublished} from '#ota/fleet/release/release-repository.ts';
import {orderIdOf} from '#ota/fleet/rollout/order-id.ts';
import {RolloutEngine} from '#ota/fleet/rollout/rollout-engine.ts';
import {RolloutService} from '#ota/fleet/rollout/rollout-service.ts';
import {writeRolloutProgress} from '#ota/fleet/rollout/write-progress.ts';
import {chunksOf} from '#ota/fleet/store/chunks-of.ts';
import type {DatabaseEngine} from '#ota/fleet/store/open-fleet-database.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {type TestFleetContext, withFleetContext} from '#test/helper/with-fleet-context.ts';
import {type TestRelease, withRelease} from '#test/helper/with-release.ts';

export const maker = {id: 'account-maker', name: 'maker', role: 'operator'} as const;
export const approver = {id: 'account-approver', name: 'approver', role: 'approver'} as const;

export type TestRollouts = {
	readonly context: TestFleetContext;
	readonly release: TestRelease;
	readonly service: RolloutService;
	readonly engine: RolloutEngine;
	readonly engineContext: ConstructorParameters<typeof RolloutEngine>[0];
	/** The engine's turn, until it has nothing to do. */
	readonly turn: () => Promise<void>;
	/** Made, approved and started. */
	readonly run: (spec?: Partial<RolloutCreate>) => Promise<Rollout>;
	/** What boxes say about a rollout's order. */
	readonly say: (
		rollout: {readonly id: string},
		boxes: readonly string[],
		phase: UpdatePhase,
		options?: {readonly attempt?: number; readonly code?: string; readonly bytes?: FetchedBytes},
	) => Promise<void>;
	/** Boxes whose state in a rollout this is. */
	readonly boxesIn: (rollout: {readonly id: string}, state: string) => Promise<readonly string[]>;
	/** The order that each of these boxes is given now. */
	readonly ordersOf: () => Promise<Readonly<Record<string, string | null>>>;
};

/** Rollouts on a real database with a real order desk, a published release and some boxes; the test turns engine and clock. */
export const withRollouts = async (
	t: ExecutionContext,
	options: {
		readonly databaseEngine?: DatabaseEngine;
		readonly boxCount?: number;
		readonly headendUrls?: readonly string[];
	} = {},
): Promise<TestRollouts> => {
	const context = await withFleetContext(t, options.databaseEngine);
	const {database} = context.store;
	const keys = await openOrderKeys({filePath: join(await withDirectory(t), 'order-key.json')});
	const desk = createOrderDesk({fleet: 'test', database, keys, clock: context.clock, wake: () => undefined});
	const release = await withRelease(t);
	await insertRelease(database, {
		content: release.manifest,
		manifest: release.manifestBytes.toString('base64'),
		signature: release.signature.toString('base64'),
		signer: 'CN=Test',
		created_by: 'maker',
		created_ms: context.clock.nowMs(),
	});
	await markPublished(database, {release: release.manifest.release, nowMs: context.clock.nowMs()});
	await addBoxes(context, options.boxCount ?? 10);
	const places = {deviceUrl: 'https://fleet.test:8443', objectBaseUri: 'http://dvb.gw/streamverse/'};
	const engineContext = {...context, desk, places, headendUrls: options.headendUrls ?? []};
	const engine = new RolloutEngine(engineContext);
	const service = new RolloutService({...engineContext, engine});
	const turn = async (): Promise<void> => {
		for (let busy = true; busy; ) {
			busy = await engine.runOnce({signal: context.signal});
		}
	};
	return {
		context,
		release,
		service,
		engine,
		engineContext,
		turn,
		run: async (spec) => {
			const {id} = await service.create(specOf(spec), maker);
			await service.approve({id, actor: approver, ifMatch: undefined, reason: '', decision: 'approved'});
			const rollout = await service.start({id, actor: maker, ifMatch: undefined, reason: ''});
			await turn();
			return rollout;
		},
		say: async (rollout, boxes, phase, {attempt = 1, code, bytes} = {}) => {
			const batch = batchOf(boxes, {
				phase,
				orderId: orderIdOf(rollout.id, attempt),
				sinceMs: context.clock.nowMs(),
				...(bytes === undefined ? {} : {bytes}),
				...(code === undefined ? {} : {reason: {code, message: 'Because.'}}),
			});
			await database
				.transaction()
				.execute((transaction) => writeRolloutProgress(transaction, batch, {nowMs: context.clock.nowMs()}));
		},
		boxesIn: async ({id}, state) => {
			const rows = await database
				.selectFrom('rollout_box')
				.select('box')
				.where('rollout', '=', id)
				.where('state', '=', state)
				.orderBy('box')
				.execute();
			return rows.map(({box}) => box);
		},
		ordersOf: async () => {
			const rows = await database
				.selectFrom('desired')
				.leftJoin('update_body', 'update_body.id', 'desired.update_body')
				.select(['desired.box', 'update_body.body'])
				.orderBy('desired.box')
				.execute();
			return Object.fromEntries(
				rows.map(({box, body}) => [box, body === null ? null : updateOrderSchema.parse(JSON.parse(body)).orderId]),
			);
		},
	};
};

export const specOf = (spec: Partial<RolloutCreate> = {}) =>
	rolloutCreateSchema.parse({
		name: 'test',
		release: '2.0.0',
		kind: 'stb',
		groups: [
			{name: 'canary', size: {kind: 'count', count: 2}},
			{name: 'rest', size: {kind: 'percent', percent: 100}},
		],
		...spec,
	});

export const addBoxes = async (
	{store, clock}: TestFleetContext,
	count: number,
	{first = 0, release = '1.0.0'}: {readonly first?: number; readonly release?: string} = {},
): Promise<void> => {
	const rows = Array.from({length: count}, (_, index) => ({
		id: `box-${String(first + index).padStart(6, '0')}`,
		kind: 'stb',
		release,
		release_key: releaseSortKey(release),
		presence: 'online',
		enrolled_ms: clock.nowMs(),
	}));
	for (const chunk of chunksOf(rows, 6)) {
		await store.database
			.insertInto('box')
			.values([...chunk])
			.execute();
	}
};

type Status = Extract<IngestBatch['events'][number]['event']['event'], {kind: 'update'}>['data'];

const batchOf = (boxes: readonly string[], data: Status): IngestBatch => ({
	presence: [],
	reported: [],
	telemetry: [],
	replies: [],
	events: boxes.map((box) => ({
		box: deviceIdSchema.parse(box),
		event: {
			version: 1,
			epoch: 'e',
			sequence: 1,
			after: 0,
			atMs: data.sinceMs,
			severity: 'info',
			event: {kind: 'update', data},
		},
	})),
});
