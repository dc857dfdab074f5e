import test from 'ava';
import {type JudgeFacts, judgeOrder} from '#ota/agent/judge-order.ts';
import {type SampleOrder, sampleOrder, sampleVerify} from '#test/helper/sample-update.ts';

const bytes = Buffer.alloc(1000);
const facts: JudgeFacts = {
	kind: 'stb',
	compatible: 'bench',
	format: 'directory',
	running: '1.5.0',
	origin: 'fleet',
	highest: '2.5.0',
	nowMs: 1000,
	expiresMs: 2000,
	freeBytes: 1000,
	fetchedBytes: 0,
	roomReserveBytes: 0,
};
type Case = readonly [Omit<SampleOrder, 'bytes'>, Partial<JudgeFacts>, string | undefined];

const table: Record<string, Case> = {
	'a newer release': [{}, {}, undefined],
	'a pre-release of what runs': [{release: '1.5.0-rc.1'}, {}, 'OTA_REFUSED_DOWNGRADE'],
	'the release after its pre-release': [{release: '1.5.0'}, {running: '1.5.0-rc.1'}, undefined],
	'an older release': [{release: '1.4.9'}, {}, 'OTA_REFUSED_DOWNGRADE'],
	'an older release that is meant': [{release: '1.4.9', order: {allowDowngrade: true}}, {}, undefined],
	'a running release that is no version': [{}, {running: 'development'}, 'OTA_REFUSED_DOWNGRADE'],
	'a running release that nobody knows': [{}, {running: undefined}, undefined],
	'a release from a stick that is older than one it confirmed': [{}, {origin: 'stick'}, 'OTA_REFUSED_DOWNGRADE'],
	'the same in its rescue slot': [{}, {origin: 'stick', isFactory: true}, 'OTA_REFUSED_DOWNGRADE'],
	'what runs there once more, from a stick': [
		{release: '1.5.0'},
		{origin: 'stick', isFactory: true},
		'OTA_REFUSED_DOWNGRADE',
	],
	'the release from a stick that it fell back from': [{release: '2.5.0'}, {origin: 'stick'}, undefined],
	'a release from a stick where none was ever confirmed': [{}, {origin: 'stick', highest: undefined}, undefined],
	'a release of its carousel that is older than one it confirmed': [{}, {origin: 'carousel'}, undefined],
	'an order that has expired': [{}, {nowMs: 2000}, 'OTA_REFUSED_EXPIRED'],
	'another kind of box': [{bundle: {kind: 'headend'}}, {}, 'OTA_REFUSED_WRONG_KIND'],
	'an order for another kind': [{order: {kind: 'headend'}}, {}, 'OTA_REFUSED_WRONG_KIND'],
	'other hardware': [{bundle: {compatible: 'other'}}, {}, 'OTA_REFUSED_WRONG_COMPATIBLE'],
	'another format': [{bundle: {format: 'rauc'}}, {}, 'OTA_REFUSED_FORMAT'],
	'a manifest of another release': [{manifest: {release: '3.0.0'}}, {}, 'OTA_REFUSED_MANIFEST'],
	'a release that may not follow this one': [{bundle: {minimumRelease: '1.6.0'}}, {}, 'OTA_REFUSED_MINIMUM_RELEASE'],
	'a release that may follow this one': [{bundle: {minimumRelease: '1.5.0'}}, {}, undefined],
	'a minimum that cannot be compared': [
		{bundle: {minimumRelease: '1.5.0'}},
		{running: undefined},
		'OTA_REFUSED_MINIMUM_RELEASE',
	],
	'a disk that is too full': [{}, {freeBytes: 999}, 'OTA_REFUSED_ROOM'],
	'a disk that holds half of it already': [{}, {freeBytes: 500, fetchedBytes: 500}, undefined],
	'a disk whose reserve it would take': [{}, {roomReserveBytes: 1}, 'OTA_REFUSED_ROOM'],
};

for (const [what, [edits, changed, code]] of Object.entries(table)) {
	test(`the agent ${code === undefined ? 'takes' : 'refuses'} ${what}`, (t) => {
		const order = sampleOrder({bytes, ...edits});
		const judge = (): unknown => judgeOrder(order, sampleVerify(order), {...facts, ...changed});
		if (code === undefined) {
			t.notThrows(judge);
		} else {
			t.throws(judge, {code});
		}
	});
}

test('a release that runs already is confirmed where it is, but in the factory’s slot it is installed', (t) => {
	const order = sampleOrder({bytes, release: '1.5.0'});
	for (const origin of ['fleet', 'stick'] as const) {
		t.true(judgeOrder(order, sampleVerify(order), {...facts, origin}).running, 'also below what was confirmed once');
	}
	t.false(judgeOrder(order, sampleVerify(order), {...facts, isFactory: true}).running);
});
