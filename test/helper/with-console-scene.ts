import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import {releaseVersionSchema} from '#appliance/contract/fleet/release-schema.ts';
import {chunksOf} from '#ota/fleet/store/chunks-of.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';
import {openFleetDatabase} from '#ota/fleet/store/open-fleet-database.ts';
import {createRelease, readReleaseDirectory} from '#ota/release/create-release.ts';
import {publishRelease} from '#ota/release/publish-release.ts';
import {signRelease} from '#ota/release/sign-release.ts';
import {addConsoleAccount, consoleSites, type TestConsole, withConsole} from '#test/helper/with-console.ts';
import {fillWatchedBox, watchedBox} from '#test/helper/with-console-scene-box.ts';
import {fillRollouts} from '#test/helper/with-console-scene-rollouts.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import type {TestFleet} from '#test/helper/with-fleet.ts';
import {testReleaseKey} from '#test/helper/with-release.ts';

const boxCount = 2000;
const columnsMax = 32;
const dayMs = 86_400_000;
const releases = [
	['2.3.1', 'Security: OpenSSL 3.0.17.\nFixes the loss of the signal margin after a change of polarisation.'],
	['2.4.0', 'Repair of lost objects over the return path.\nThe player starts 0.8 s sooner on a cold cache.'],
	['2.5.0', 'Takes releases from the carousel.\nKeeps the spool on a disk that is full.\nNew kernel 6.12.41.'],
	['2.5.1', 'Withdrawn: the tuner of the A78 is not found after a warm start.'],
] as const;

/** A fleet as a NOC has it on a normal day: sites, boxes, releases, rollouts, alerts, and one box to look into. */
export const withConsoleScene = async (t: ExecutionContext): Promise<TestConsole> => {
	const key = await testReleaseKey();
	const caFile = join(await withDirectory(t), 'ca.pem');
	await writeFile(caFile, key.caPem);
	const open = await withConsole(t, {boxes: 0, config: {release: {caFile}}});
	const {fleet} = open;
	await using store = await openFleetDatabase({url: fleet.databaseUrl});
	const ids = await fillBoxes(store.database);
	await publishReleases(await withDirectory(t), fleet);
	await fillWatchedBox(store.database, Date.now());
	await fillRollouts(store.database, ids);
	await fillAlerts(store.database, ids);
	await actAsPeople(fleet);
	return open;
};

const kindOf = (index: number): BoxKind => (index % 97 === 3 ? 'headend' : index % 13 === 2 ? 'pop-node' : 'stb');

/** Sites of unlike size, a tenth behind with its release, a few dark or ill. */
const fillBoxes = async (database: FleetDatabase): Promise<readonly string[]> => {
	const now = Date.now();
	const rows = Array.from({length: boxCount}, (_, index) => {
		const [site, , , , timeZone] = consoleSites[Math.floor(((index * 37) % 64) ** 1.5 / 64)] ?? consoleSites[0];
		const kind = kindOf(index);
		const isOnline = index % 31 !== 7;
		const health = !isOnline ? 'unknown' : index % 211 === 9 ? 'critical' : index % 43 === 5 ? 'warning' : 'ok';
		const release = index % 10 === 0 ? '2.3.1' : index % 7 === 1 ? '2.5.0' : '2.4.0';
		return {
			...{id: `${kind}-${site}-${String(index).padStart(4, '0')}`, kind, site, health, report_health: health, release},
			tags: JSON.stringify(index % 20 === 0 ? ['beta', 'friendly'] : index % 6 === 0 ? ['hotel'] : []),
			model: kind === 'headend' ? 'SV-H2' : kind === 'pop-node' ? 'SV-N4' : index % 3 === 0 ? 'SV-A53' : 'SV-A78',
			serial: `24B7-${String(310_000 + index * 17)}`,
			presence: isOnline ? 'online' : 'offline',
			last_seen_ms: now - (isOnline ? (index * 911) % 60_000 : 900_000 + index * 40_000),
			enrolled_ms: now - (20 + (index % 300)) * dayMs,
			time_zone: timeZone,
			update_phase: index % 7 === 1 ? 'confirmed' : 'idle',
		};
	});
	for (const some of chunksOf(rows, columnsMax)) {
		await database.insertInto('box').values(some).execute();
	}
	return rows.filter(({kind, presence}) => kind === 'stb' && presence === 'online').map(({id}) => id);
};

const publishReleases = async (root: string, fleet: TestFleet): Promise<void> => {
	const key = await testReleaseKey();
	const signal = AbortSignal.timeout(60_000);
	for (const [index, [version, notes]] of releases.entries()) {
		const directory = join(root, version);
		const bundles = await Promise.all(
			(['stb', 'pop-node', 'headend'] as const).map(async (kind, position) => {
				const path = join(root, `${version}-${kind}.tar`);
				await writeFile(path, Buffer.alloc(90_000 + index * 7000 + position * 41_000, `${version} ${kind}`));
				return {kind, path, compatible: `streamverse-${kind}`, format: 'rauc' as const};
			}),
		);
		const createdAtMs = Date.now() - (releases.length - index) * 9 * dayMs;
		await createRelease({
			...{directory, notes, bundles, createdAtMs, signal},
			release: releaseVersionSchema.parse(version),
		});
		const {manifest} = await readReleaseDirectory(directory);
		const signature = await signRelease({manifest, certificatePem: key.certificatePem, keyPem: key.keyPem});
		await publishRelease({...{directory, manifest, signature, signal}, fleet: {url: fleet.url, token: fleet.token}});
	}
	await fleet.call('POST /releases/2.5.1/withdraw', {reason: 'The tuner of the A78 is not found after a warm start.'});
};

const fillAlerts = async (database: FleetDatabase, ids: readonly string[]): Promise<void> => {
	const now = Date.now();
	const found = [
		['site-dark', 'critical', 'Lagos is dark: 31 boxes went silent within 2 minutes', 6, 'lagos'],
		['temperature', 'warning', 'temperature 88.5 °C is above 85 °C', 22, null],
		['crash-loop', 'critical', 'The service player crashes again and again', 48, null],
		['signal', 'warning', 'signal margin 0.7 dB is below 1 dB', 95, null],
		['disk', 'warning', 'disk 4.1 % free is below 5 %', 240, null],
		['update-failed', 'warning', 'The update to 2.5.0 was rolled back: the tuner was not found', 310, null],
		['certificate-expiry', 'warning', 'The certificate ends in 12 days', 1400, null],
	] as const;
	const rows = found.map(([rule, severity, message, minutes, site], index) => {
		const box = site === null ? (ids[index * 61 + 4] ?? null) : null;
		const atMs = now - minutes * 60_000;
		return {
			...{
				id: `alert-${index}`,
				rule,
				severity,
				message,
				box,
				site,
				subject: box === null ? `site:${site}` : `box:${box}`,
			},
			...{value: null, state: 'raised', since_ms: atMs, bad: 1, raised_ms: atMs, changed_ms: atMs, cleared_ms: null},
			...{count: index === 3 ? 4 : 1, group_id: null, boxes: site === null ? null : 31, notified: 1},
			acknowledged_by: index === 4 ? 'Olga' : null,
			acknowledged_ms: index === 4 ? atMs + 120_000 : null,
			acknowledged_note: index === 4 ? 'Cleaning the cache by hand.' : null,
		};
	});
	// The server has looked at the boxes meanwhile, and may have found some of it by itself.
	await database
		.insertInto('alert')
		.values(rows)
		.onConflict((conflict) => conflict.doNothing())
		.execute();
};

/** What people do by the API, so that accounts, claims, mutes, channels and the audit log are not empty. */
const actAsPeople = async (fleet: TestFleet): Promise<void> => {
	const {call} = fleet;
	await addConsoleAccount(fleet, 'olga', 'operator');
	await addConsoleAccount(fleet, 'anton', 'approver');
	await call('POST /accounts', {name: 'vera', displayName: 'Vera Holm', role: 'viewer'});
	await call('POST /tokens', {name: 'Grafana', role: 'viewer', lifeDays: 90});
	await call('POST /claims', {deviceIds: ['stb-oslo-9001'], kind: 'stb', site: 'oslo', tags: ['beta']});
	await call('POST /claims', {count: 2, kind: 'pop-node', site: 'sydney'});
	const untilMs = Date.now() + dayMs;
	await call('POST /alert-mutes', {rule: 'signal', filter: 'site=mumbai', untilMs, reason: 'Monsoon: known rain fade'});
	await call('POST /alert-channels', {
		name: 'NOC on duty',
		severityMin: 'critical',
		target: {kind: 'webhook', url: 'https://noc.example/hook'},
	});
	await call('POST /alert-channels', {
		name: 'Field service',
		severityMin: 'warning',
		target: {kind: 'email', to: ['field@example.org']},
	});
	for (const name of ['ping', 'identify', 'read-signal']) {
		await call(`POST /boxes/${watchedBox}/commands`, {name, arguments: {}});
	}
	// And one that is refused, for the audit log.
	await call(`POST /boxes/${watchedBox}/revoke`, {reason: 'nonsense'});
};
