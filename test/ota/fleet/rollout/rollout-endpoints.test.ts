import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {FleetPart} from '#ota/fleet/fleet-part.ts';
import {createOrderDesk} from '#ota/fleet/order/create-order-desk.ts';
import {openOrderKeys} from '#ota/fleet/order/order-keys.ts';
import {insertRelease, markPublished} from '#ota/fleet/release/release-repository.ts';
import {createRolloutPart} from '#ota/fleet/rollout/create-rollout-part.ts';
import {createLeases} from '#ota/fleet/server/leases.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {type TestFleetApi, withFleetApi} from '#test/helper/with-fleet-api.ts';
import {withRelease} from '#test/helper/with-release.ts';
import {addBoxes} from '#test/helper/with-rollouts.ts';

/** The API with rollouts, on a release that is published and ten boxes. */
const withRolloutApi = async (t: ExecutionContext): Promise<{readonly api: TestFleetApi; readonly part: FleetPart}> => {
	const keys = await openOrderKeys({filePath: join(await withDirectory(t), 'key.json')});
	const parts: FleetPart[] = [];
	const api = await withFleetApi(t, {
		endpoints: (context) => {
			const {database} = context.store;
			const part = createRolloutPart(context, {
				desk: createOrderDesk({fleet: 'test', database, keys, clock: context.clock, wake: () => undefined}),
				leases: createLeases({...context, database}),
				deviceUrl: 'https://fleet.test',
				objectBaseUri: undefined,
				headendUrls: [],
			});
			parts.push(part);
			return part.endpoints ?? [];
		},
	});
	const release = await withRelease(t);
	const {database} = api.store;
	await insertRelease(database, {
		content: release.manifest,
		manifest: release.manifestBytes.toString('base64'),
		signature: release.signature.toString('base64'),
		signer: 'CN=Test',
		created_by: 'maker',
		created_ms: 1,
	});
	await markPublished(database, {release: release.manifest.release, nowMs: 2});
	await addBoxes(api, 10);
	const [part] = parts;
	if (part === undefined) {
		throw new Error('There is no part.');
	}
	return {api, part};
};

const spec = {
	name: 'spring',
	release: '2.0.0',
	kind: 'stb',
	groups: [
		{name: 'canary', size: {kind: 'count', count: 1}},
		{name: 'rest', size: {kind: 'percent', percent: 100}},
	],
};

test('a rollout is previewed, made, approved by another, started, watched and aborted over HTTP', async (t) => {
	const {api, part} = await withRolloutApi(t);
	const [operator, approver, viewer] = [
		await api.signInAs('operator'),
		await api.signInAs('approver'),
		await api.signInAs('viewer'),
	];
	const preview = await api.call('POST /rollout-preview', {cookie: operator, body: spec});
	t.is(preview.status, 200, preview.text);
	t.deepEqual(
		preview.body.groups.map((group: {boxes: number}) => group.boxes),
		[1, 9],
	);
	t.is((await api.call('POST /rollouts', {cookie: viewer, body: spec})).status, 403);
	const made = await api.call('POST /rollouts', {cookie: operator, body: spec});
	t.is(made.status, 201, made.text);
	const path = `/rollouts/${made.body.id}`;
	const ifMatch = async (): Promise<{readonly 'if-match': string}> => ({
		'if-match': (await api.call(`GET ${path}`, {cookie: viewer})).headers.get('etag') ?? '',
	});
	const approval = {decision: 'approved', note: 'Looks good.'};
	t.is((await api.call(`POST ${path}/approve`, {cookie: approver, body: approval})).status, 428);
	t.is(
		(await api.call(`POST ${path}/approve`, {cookie: operator, body: approval, headers: await ifMatch()})).status,
		403,
	);
	const stale = await ifMatch();
	const approved = await api.call(`POST ${path}/approve`, {cookie: approver, body: approval, headers: stale});
	t.like(approved.body, {state: 'approved', approval: {note: 'Looks good.'}});
	t.is((await api.call(`POST ${path}/start`, {cookie: operator, body: {}, headers: stale})).status, 412);
	const started = await api.call(`POST ${path}/start`, {cookie: operator, body: {}, headers: await ifMatch()});
	t.is(started.body.state, 'scheduled');
	const running = await part.start?.();
	t.teardown(async () => await running?.[Symbol.asyncDispose]());
	await eventually(
		'the first order',
		async () => (await api.call(`GET ${path}`, {cookie: viewer})).body.counts.ordered === 1,
	);
	const boxes = await api.call(`GET ${path}/boxes?state=ordered`, {cookie: viewer});
	t.like(boxes.body.items[0], {group: 0, attempt: 1, phase: null});
	const first = await api.call(`GET ${path}/boxes?limit=6`, {cookie: viewer});
	const second = await api.call(`GET ${path}/boxes?limit=6&cursor=${first.body.nextCursor}`, {cookie: viewer});
	t.is(new Set([...first.body.items, ...second.body.items].map(({box}) => box)).size, 10);
	const aborted = await api.call(`POST ${path}/abort`, {
		cookie: operator,
		body: {reason: 'No.'},
		headers: await ifMatch(),
	});
	t.like(aborted.body, {state: 'aborted', reason: {message: 'No.'}, counts: {withdrawn: 10}});
	const list = await api.call('GET /rollouts?state=aborted', {cookie: viewer});
	t.like(list.body.items[0], {name: 'spring', groups: 2, groupsDone: 0});
	t.deepEqual((await api.call('GET /rollouts/carousel-orders', {cookie: operator})).body, {
		version: 1,
		keyChain: [],
		orders: [],
	});
});

test('whoever made a rollout does not approve it, be they an admin', async (t) => {
	const {api} = await withRolloutApi(t);
	const admin = await api.signInAs('admin');
	const made = await api.call('POST /rollouts', {cookie: admin, body: spec});
	const answer = await api.call(`POST /rollouts/${made.body.id}/approve`, {
		cookie: admin,
		body: {decision: 'approved'},
		headers: {'if-match': made.headers.get('etag') ?? ''},
	});
	t.is(answer.status, 403);
	t.is(answer.body.code, 'OTA_ROLLOUT_SELF_APPROVAL');
});

test('a hostile filter, id or group is refused with its field', async (t) => {
	const {api} = await withRolloutApi(t);
	const cookie = await api.signInAs('operator');
	const broken = await api.call('POST /rollouts', {cookie, body: {...spec, filter: 'id = '}});
	t.is(broken.status, 422, broken.text);
	t.is(broken.body.errors[0].field, 'filter');
	const injected = await api.call('POST /rollout-preview', {
		cookie,
		body: {...spec, filter: "id = x'; drop table box; --"},
	});
	t.is(injected.body.boxes, 0, 'it is a word that no box is called');
	t.is((await api.call('POST /rollout-preview', {cookie, body: spec})).body.boxes, 10);
	t.is((await api.call('GET /rollouts/..%2f..%2fboxes', {cookie})).status, 400);
	t.is((await api.call('GET /rollouts/zzzzzzzzzzzz', {cookie})).status, 404);
	t.is((await api.call('POST /rollouts', {cookie, body: {...spec, groups: []}})).status, 400);
	t.is((await api.call('GET /rollouts?cursor=bm9uc2Vuc2U', {cookie})).status, 400);
});
