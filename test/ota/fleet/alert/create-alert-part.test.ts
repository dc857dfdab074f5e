import test from 'ava';
import {alarmIngest, withFleetAlerts} from '#test/helper/with-fleet-alerts.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';

const minuteMs = 60_000;

const webhook = {name: 'hook', target: {kind: 'webhook', url: 'http://127.0.0.1:1/'}};

for (const engine of databaseEngines) {
	test(`a site of 1000 boxes that goes dark is one notification, and one when it is back (${engine})`, async (t) => {
		const fleet = await withFleetAlerts(t, engine);
		await fleet.call('POST /alert-channels', {cookie: fleet.admin, body: webhook});
		await fleet.addBoxes(1000, 'nairobi');
		await fleet.addBoxes(2, 'oslo');
		await fleet.look();
		t.deepEqual(await fleet.alerts(), []);
		const {database} = fleet.store;
		await database.updateTable('box').set({presence: 'offline'}).where('site', '=', 'nairobi').execute();
		await database.updateTable('box').set({presence: 'offline'}).where('id', '=', 'oslo-1').execute();
		await fleet.look();
		t.deepEqual(await fleet.alerts(), [], 'a reboot is no alert');
		fleet.advance(5 * minuteMs);
		await fleet.look();
		await fleet.look();
		const told = await fleet.waiting();
		t.deepEqual(told.map(({kind, alerts}) => [kind, alerts[0]?.rule, alerts[0]?.site, alerts[0]?.boxes]).sort(), [
			['raised', 'box-dark', 'oslo', null],
			['raised', 'site-dark', 'nairobi', 1000],
		]);
		const [oslo] = await fleet.alerts('?rule=box-dark&site=oslo');
		t.regex(oslo?.message ?? '', /^Last heard of 2026-11-21 \d\d:\d\d UTC, \d+ min before this alert\.$/u);
		const [site] = await fleet.alerts('?rule=site-dark');
		const members = await fleet.alerts('?rule=box-dark&site=nairobi&limit=500');
		t.is(members.length, 500);
		t.true(members.every(({groupId}) => groupId === site?.id));
		await database.updateTable('box').set({presence: 'online'}).where('site', '=', 'nairobi').execute();
		await fleet.look();
		fleet.advance(minuteMs);
		await fleet.look();
		t.deepEqual(
			(await fleet.alerts()).map(({box}) => box),
			['oslo-1'],
		);
		const after = (await fleet.waiting()).slice(2);
		t.deepEqual(
			after.map(({kind, total, alerts}) => [kind, total, alerts[0]?.rule]),
			[['cleared', 1, 'site-dark']],
		);
	});

	test(`one alert per rule and box, whoever reports it, until its cause is gone (${engine})`, async (t) => {
		const fleet = await withFleetAlerts(t, engine);
		await fleet.addBoxes(2, null);
		await Promise.all([1, 2, 3].map(() => fleet.ingest(alarmIngest('none-0', true))));
		await fleet.ingest(alarmIngest('none-1', true));
		t.deepEqual((await fleet.alerts()).map(({box, rule, count}) => [box, rule, count]).sort(), [
			['none-0', 'disk', 1],
			['none-1', 'disk', 1],
		]);
		await fleet.ingest(alarmIngest('none-0', false));
		t.is((await fleet.alerts()).length, 2, 'not yet');
		fleet.advance(5 * minuteMs);
		await fleet.look();
		t.deepEqual(
			(await fleet.alerts()).map(({box}) => box),
			['none-1'],
		);
		t.deepEqual(
			(await fleet.alerts('?state=cleared')).map(({box}) => box),
			['none-0'],
		);
		await fleet.ingest(alarmIngest('none-0', true));
		const [again] = await fleet.alerts('?box=none-0');
		t.is(again?.count, 2, 'it came back soon: the same one');
		await fleet.ingest(alarmIngest('none-0', false));
		fleet.advance(5 * minuteMs);
		await fleet.look();
		fleet.advance(60 * minuteMs);
		await fleet.ingest(alarmIngest('none-0', true));
		t.deepEqual(
			(await fleet.alerts('?box=none-0&state=all')).map(({state}) => state),
			['raised', 'cleared'],
			'another one',
		);
	});

	test(`what is acknowledged or muted tells nobody, and a mute that ends does (${engine})`, async (t) => {
		const fleet = await withFleetAlerts(t, engine);
		const operator = await fleet.signInAs('operator', 'olga');
		await fleet.call('POST /alert-channels', {cookie: fleet.admin, body: webhook});
		await fleet.addBoxes(3, 'oslo');
		const mute = (body: object) => fleet.call('POST /alert-mutes', {cookie: operator, body});
		const untilMs = fleet.clock.nowMs() + 10 * minuteMs;
		t.is((await mute({rule: null, filter: 'site=', untilMs, reason: 'x'})).status, 400);
		t.is((await mute({rule: null, filter: '', untilMs: 1, reason: 'x'})).body.code, 'OTA_ALERT_MUTE_PAST');
		t.is((await mute({rule: 'disk', filter: 'id=oslo-1', untilMs, reason: 'known'})).status, 201);
		for (const box of ['oslo-0', 'oslo-1', 'oslo-2']) {
			await fleet.ingest(alarmIngest(box, true));
		}
		const two = (await fleet.alerts()).find(({box}) => box === 'oslo-2');
		const acknowledged = await fleet.call(`POST /alerts/${two?.id}/acknowledge`, {
			cookie: operator,
			body: {note: 'mine'},
		});
		t.like(acknowledged.body.acknowledged, {by: 'olga', note: 'mine'});
		await fleet.look();
		t.deepEqual(
			(await fleet.waiting()).map(({alerts}) => alerts[0]?.box),
			['oslo-0'],
		);
		t.deepEqual(
			(await fleet.alerts()).filter(({muted}) => muted).map(({box}) => box),
			['oslo-1'],
		);
		fleet.advance(11 * minuteMs);
		await fleet.look();
		t.deepEqual(
			(await fleet.waiting()).map(({alerts}) => alerts[0]?.box),
			['oslo-0', 'oslo-1'],
		);
	});
}

test('what nothing would clear is cleared: alerts of a revoked box, and of a rule that was switched off', async (t) => {
	const fleet = await withFleetAlerts(t);
	await fleet.addBoxes(3, null);
	for (const box of ['none-0', 'none-1', 'none-2']) {
		await fleet.ingest(alarmIngest(box, true));
	}
	t.is((await fleet.alerts('?box=none-0'))[0]?.value, 100, 'in percent, as the rule has it');
	const {database} = fleet.store;
	await database.updateTable('box').set({revoked_ms: 1}).where('id', '=', 'none-0').execute();
	await database.deleteFrom('box').where('id', '=', 'none-1').execute();
	const settle = async () => {
		await fleet.look();
		fleet.advance(6 * minuteMs);
		await fleet.look();
		return (await fleet.alerts('?rule=disk')).map(({box}) => box);
	};
	t.deepEqual(await settle(), ['none-2']);
	const [rule] = (await fleet.call('GET /alert-rules', {cookie: fleet.admin})).body.items.filter(
		(item: {rule: string}) => item.rule === 'disk',
	);
	const {rule: _rule, unit: _unit, ...settings} = rule;
	const put = await fleet.call('PUT /alert-rules/disk', {cookie: fleet.admin, body: {...settings, enabled: false}});
	t.is(put.status, 200, put.text);
	t.deepEqual(await settle(), []);
});

test('a mute that covers a storm holds back nothing of other boxes', async (t) => {
	const fleet = await withFleetAlerts(t);
	await fleet.call('POST /alert-channels', {cookie: fleet.admin, body: webhook});
	const boxes = 5200;
	await fleet.addBoxes(boxes, 'nairobi');
	await fleet.addBoxes(1, 'oslo');
	const untilMs = fleet.clock.nowMs() + 60 * minuteMs;
	const body = {rule: null, filter: 'site=nairobi', untilMs, reason: 'a lab'};
	t.is((await fleet.call('POST /alert-mutes', {cookie: fleet.admin, body})).status, 201);
	const events = Array.from({length: boxes}, (_, index) => alarmIngest(`nairobi-${index}`, true).events ?? []).flat();
	await fleet.ingest({events});
	fleet.advance(1000);
	await fleet.ingest(alarmIngest('oslo-0', true));
	await fleet.look();
	t.deepEqual(
		(await fleet.waiting()).map(({alerts}) => alerts[0]?.box),
		['oslo-0'],
	);
});
