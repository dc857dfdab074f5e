import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import Database from 'better-sqlite3';
import {shareOf} from '#appliance/filter/share-of.ts';
import type {Claim} from '#appliance/identity/claim-schema.ts';
import type {RolloutCreate} from '#ota/contract/rollout-api.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withApprover} from '#test/helper/with-approver.ts';
import {type ClosedDoor, withClosedDoor} from '#test/helper/with-closed-door.ts';
import {type TestFleet, withFleet} from '#test/helper/with-fleet.ts';
import {withProcess} from '#test/helper/with-process.ts';
import {withSatellite} from '#test/helper/with-satellite.ts';
import {claimOf, type SlotBox, withSlotBox, withSlotWorkshop} from '#test/helper/with-slot-box.ts';

const phases = ['accepted', 'fetching', 'verified', 'installing', 'rebooting', 'confirming', 'confirmed'];
const patientMs = 150_000;
/** Two waves; the second is a day away. */
const rollout: RolloutCreate = {
	name: 'by the carousel',
	release: '2.0.0' as RolloutCreate['release'],
	kind: 'stb',
	groups: [
		{name: 'first half', size: {kind: 'share', from: 0, to: 0.5}, soakMs: 86_400_000},
		{name: 'second half', size: {kind: 'share', from: 0.5, to: 1}},
	],
	sources: {carouselWaitMs: patientMs, blocks: false, https: false},
};

/** The name of a box that this half of a rollout is for. */
const nameIn = (half: 'first' | 'second', salt: string): string => {
	for (let number = 1; ; number += 1) {
		const id = `one-way-${number}`;
		if (shareOf(salt, id) < 0.5 === (half === 'first')) {
			return id;
		}
	}
};

const portOf = (url: string): number => Number(new URL(url).port);
const through = (url: string, {port}: ClosedDoor): string => {
	const changed = new URL(url);
	changed.port = String(port);
	return changed.href.replace(/\/$/u, '');
};

/** A claim as the fleet makes it, of a box that reaches neither broker nor device server. */
const oneWayClaim = async (fleet: TestFleet, id: string, doors: Doors): Promise<Claim> => {
	const claim = await claimOf(fleet, id);
	return {
		...claim,
		estUrl: through(claim.estUrl, doors.device),
		deviceUrl: through(claim.deviceUrl, doors.device),
		brokerUrl: through(claim.brokerUrl, doors.broker),
	};
};

type Doors = {readonly device: ClosedDoor; readonly broker: ClosedDoor};
const withDoors = async (t: ExecutionContext): Promise<Doors> => ({
	device: await withClosedDoor(t),
	broker: await withClosedDoor(t),
});

type Told = {readonly atMs: number; readonly phase: string};

/** The update's reports that lie in the box's spool. */
const spooled = ({stateDirectory}: SlotBox): readonly Told[] => {
	using database = new (class extends Database {
		[Symbol.dispose] = () => this.close();
	})(join(stateDirectory, 'fleet', 'link.db'), {readonly: true});
	const rows = database
		.prepare<[], {body: string}>("SELECT body FROM spool_record WHERE topic = 'event' ORDER BY sequence")
		.all();
	return rows.flatMap(({body}) => {
		const {atMs, event} = JSON.parse(body);
		return event.kind === 'update' ? [{atMs, phase: event.data.phase}] : [];
	});
};

test('a set-top without a return path is updated in its wave by the satellite, and its fleet learns of it when it has one', async (t) => {
	t.timeout(300_000);
	const satellite = await withSatellite(t, {model: {seed: 7}, popNode: false, stb: false});
	const fleet = await withFleet(t, {
		config: {carousel: {objectBaseUri: 'http://dvb.gw/streamverse/', headendUrls: [satellite.headendUrl]}},
	});
	const workshop = await withSlotWorkshop(t, {keyDirectory: join(fleet.stateDirectory, 'release-key')});
	const {directory, sha256} = await workshop.makeRelease('2.0.0');
	const publishing = withProcess(t, {
		script: 'cli/main.ts',
		args: ['release', 'publish', directory, '--headend', satellite.headendUrl, '--fleet', fleet.url],
		environment: {STREAMVERSE_TOKEN: fleet.token},
	});
	t.is((await publishing.ended).code, 0, publishing.output());
	const {make, approveAndStart, until} = await withApprover(fleet);
	const {id} = await make(rollout);
	await approveAndStart(id);

	const doors = await withDoors(t);
	const section = {receive: satellite.stbSection['receive'], repair: satellite.stbSection['repair']};
	const start = async (half: 'first' | 'second', own: Doors): Promise<SlotBox> => {
		const name = nameIn(half, id);
		return withSlotBox(t, workshop, {id: name, claim: await oneWayClaim(fleet, name, own), section});
	};
	const [early, late] = [await start('first', doors), await start('second', await withDoors(t))];
	await eventually('the box has confirmed its update', () => spooled(early).at(-1)?.phase === 'confirmed', {
		timeoutMs: patientMs,
		intervalMs: 200,
	}).catch((cause) => {
		throw new Error(early.output(), {cause});
	});
	const kept = spooled(early);
	t.deepEqual(
		kept.map(({phase}) => phase),
		phases,
	);
	t.like(await early.bootRecord(), {booted: 'slot-b', slots: {'slot-b': {state: 'good', release: '2.0.0', sha256}}});
	t.is((await fleet.call(`GET /boxes/${early.id}/events`)).body.items?.length ?? 0, 0, 'the fleet knows nothing yet');

	const openedMs = Date.now();
	await doors.device.open(portOf(fleet.deviceUrl));
	await doors.broker.open(portOf(fleet.brokerUrl));
	const heard = await eventually(
		'the fleet has heard of the update',
		async () => {
			const {body} = await fleet.call(`GET /boxes/${early.id}/events`);
			const told: Told[] = (body.items ?? []).flatMap(
				({kind, atMs, data}: {kind: string; atMs: number; data: {phase: string}}) =>
					kind === 'update' ? [{atMs, phase: data.phase}] : [],
			);
			return told.length >= phases.length && told.toReversed();
		},
		{timeoutMs: patientMs, intervalMs: 200},
	);
	t.deepEqual(heard, kept, 'each with the time at which it happened');
	t.true(heard.every(({atMs}) => atMs < openedMs));
	const done = await until('the rollout counts it', id, (_, [box]) => box?.state === 'done');
	t.like(done.boxes, [{box: early.id, group: 0, phase: 'confirmed', orderedMs: null}], 'nobody ordered it anything');
	t.is(done.boxes.length, 1);
	t.is((await fleet.call(`GET /boxes/${early.id}`)).body.release, '2.0.0');

	// The other box has had bundle and orders from the same satellite, and its turn has not come.
	for (const name of ['orders.json', sha256]) {
		const held = await fetch(`${late.serveUrl}/streamverse/release/${name}`, {
			headers: {'Cache-Control': 'only-if-cached'},
		});
		t.is(held.status, 200, name);
		await held.body?.cancel();
	}
	t.like(await late.bootRecord(), {booted: 'slot-a', slots: {'slot-b': {state: 'empty'}}});
	t.deepEqual(spooled(late), []);
});
