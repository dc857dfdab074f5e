import test from 'ava';
import type {RaucSlot} from '#ota/slot/rauc/rauc-bus.ts';
import {isFallback, pairOf, targetSlots} from '#ota/slot/rauc/slot-pair.ts';

const slot = (name: string, facts: Partial<RaucSlot>): RaucSlot => ({
	...{name, class: name.split('.')[0] ?? '', state: 'inactive', bootname: name},
	...facts,
});

test('the partner of a slot is the other one of its class, never the factory’s', (t) => {
	const slots = [slot('factory.0', {}), slot('rootfs.0', {state: 'booted'}), slot('rootfs.1', {'boot-status': 'bad'})];
	t.is(pairOf(slots).other.name, 'rootfs.1');
});

test('from the factory’s slot RAUC may write either, and the one that was to run last is its counterpart', (t) => {
	const slots = [
		slot('factory.0', {state: 'booted'}),
		slot('rootfs.0', {'boot-status': 'bad', 'activated.timestamp': '2026-01-01T00:00:00Z'}),
		slot('rootfs.1', {'boot-status': 'bad', 'activated.timestamp': '2026-02-01T00:00:00Z'}),
		slot('boot.0', {bootname: undefined, parent: 'rootfs.0'}),
	];
	const pair = pairOf(slots);
	t.is(pair.booted.name, 'factory.0');
	t.is(pair.other.name, 'rootfs.1');
	t.true(isFallback(pair));
	t.deepEqual(
		targetSlots(slots).map(({name}) => name),
		['rootfs.0', 'rootfs.1'],
	);
});

test('from a slot that has a partner only that one is written', (t) => {
	const slots = [slot('factory.0', {}), slot('rootfs.0', {state: 'booted'}), slot('rootfs.1', {})];
	t.deepEqual(
		targetSlots(slots).map(({name}) => name),
		['rootfs.1'],
	);
});

test('without a booted slot there is no pair', (t) => {
	t.throws(() => pairOf([slot('rootfs.0', {}), slot('rootfs.1', {})]), {code: 'OTA_SLOT_UNREADABLE'});
});
