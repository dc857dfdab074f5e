import test from 'ava';
import type {RaucSlot} from '#ota/slot/rauc/rauc-bus.ts';
import {pairOf} from '#ota/slot/rauc/slot-pair.ts';

const slot = (name: string, facts: Partial<RaucSlot>): RaucSlot => ({
	...{name, class: name.split('.')[0] ?? '', state: 'inactive', bootname: name},
	...facts,
});

test('the partner of a slot is the other one of its class, never the factory’s', (t) => {
	const slots = [slot('factory.0', {}), slot('rootfs.0', {state: 'booted'}), slot('rootfs.1', {'boot-status': 'bad'})];
	t.is(pairOf(slots).other.name, 'rootfs.1');
});

test('from the factory’s slot a bad one is written, and one that may be good is kept', (t) => {
	const slots = [
		slot('factory.0', {state: 'booted'}),
		slot('rootfs.0', {'boot-status': 'good'}),
		slot('rootfs.1', {'boot-status': 'bad'}),
		slot('boot.0', {bootname: undefined, parent: 'rootfs.0'}),
	];
	t.is(pairOf(slots).booted.name, 'factory.0');
	t.is(pairOf(slots).other.name, 'rootfs.1');
});

test('without a booted slot there is no pair', (t) => {
	t.throws(() => pairOf([slot('rootfs.0', {}), slot('rootfs.1', {})]), {code: 'OTA_SLOT_UNREADABLE'});
});
