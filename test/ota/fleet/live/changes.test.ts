import test from 'ava';
import type {LiveChange} from '#ota/contract/box-api.ts';
import {createChanges} from '#ota/fleet/live/changes.ts';
import type {BrokerMessage, FleetBroker} from '#ota/fleet/server/fleet-broker.ts';
import {eventually} from '#test/helper/eventually.ts';

/** What one server says, all hear. */
const brokerOf = (listeners: Set<(message: BrokerMessage) => unknown>): FleetBroker => ({
	isConnected: () => true,
	publish: (topic, payload) => {
		for (const listener of listeners) {
			listener({topic, payload: Buffer.from(payload), retained: false});
		}
		return Promise.resolve();
	},
	subscribe: (_filter, listener) => {
		listeners.add(listener);
		return Promise.resolve({[Symbol.asyncDispose]: () => Promise.resolve(void listeners.delete(listener))});
	},
	onConnected: () => () => undefined,
	[Symbol.asyncDispose]: () => Promise.resolve(),
});

test('changes are gathered, and told once to the pages of every server', async (t) => {
	const listeners = new Set<(message: BrokerMessage) => unknown>();
	const {signal} = new AbortController();
	const heard: Record<string, LiveChange[]> = {one: [], other: []};
	const [one, other] = await Promise.all(
		['one', 'other'].map(async (serverId) => {
			const changes = createChanges({serverId, signal});
			await changes.connect(brokerOf(listeners));
			changes.subscribe((change) => heard[serverId]?.push(change));
			return changes;
		}),
	);
	for (let index = 0; index < 100; index += 1) {
		one?.publish({kind: 'boxes', ids: [`box-${index % 3}`]});
	}
	other?.publish({kind: 'alerts'});
	await eventually('both have heard both', () => heard['one']?.length === 2 && heard['other']?.length === 2);
	const sorted = (list: readonly LiveChange[] = []) => list.toSorted((a, b) => a.kind.localeCompare(b.kind));
	t.deepEqual(sorted(heard['one']), [{kind: 'alerts'}, {kind: 'boxes', ids: ['box-0', 'box-1', 'box-2']}]);
	t.deepEqual(sorted(heard['other']), sorted(heard['one']));
});

test('more ids than a page would ask for are not named', async (t) => {
	const changes = createChanges({serverId: 'one', signal: new AbortController().signal});
	const heard: LiveChange[] = [];
	changes.subscribe((change) => heard.push(change));
	changes.publish({kind: 'boxes', ids: Array.from({length: 150}, (_, index) => `a-${index}`)});
	changes.publish({kind: 'boxes', ids: Array.from({length: 150}, (_, index) => `b-${index}`)});
	await eventually('it was told', () => heard.length > 0);
	t.deepEqual(heard, [{kind: 'boxes'}]);
});
