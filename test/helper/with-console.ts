import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import type {ExecutionContext} from 'ava';
import Database from 'better-sqlite3';
import type {Page} from 'playwright-core';
import type {AccountRole} from '#ota/contract/account-api.ts';
import type {FleetConfig} from '#ota/fleet/config/fleet-config-schema.ts';
import {eventually} from '#test/helper/eventually.ts';
import {type TestBrowser, withBrowser} from '#test/helper/with-browser.ts';
import {adminPassword, fleetCall, signInToFleet, type TestFleet, withFleet} from '#test/helper/with-fleet.ts';

export const consoleSites = [
	['oslo', 'Oslo', 59.91, 10.75, 'Europe/Oslo'],
	['frankfurt', 'Frankfurt', 50.11, 8.68, 'Europe/Berlin'],
	['ashburn', 'Ashburn', 39.04, -77.49, 'America/New_York'],
	['sao-paulo', 'São Paulo', -23.55, -46.63, 'America/Sao_Paulo'],
	['lagos', 'Lagos', 6.52, 3.38, 'Africa/Lagos'],
	['mumbai', 'Mumbai', 19.08, 72.88, 'Asia/Kolkata'],
	['singapore', 'Singapore', 1.35, 103.82, 'Asia/Singapore'],
	['sydney', 'Sydney', -33.87, 151.21, 'Australia/Sydney'],
] as const;

export type TestConsole = {readonly fleet: TestFleet; readonly browser: TestBrowser; readonly page: Page};

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A real fleet server with so many boxes in its database, and a browser that stands before its door. */
export const withConsole = async (
	t: ExecutionContext,
	{boxes, config = {}}: {readonly boxes: number; readonly config?: Partial<FleetConfig>},
): Promise<TestConsole> => {
	if (!existsSync(`${root}build/console/index.html`)) {
		await promisify(execFile)(process.execPath, ['ota/fleet/page/build-console.ts'], {cwd: root});
	}
	const fleet = await withFleet(t, {config});
	for (const [id, name, latitude, longitude, timeZone] of consoleSites) {
		const site = {name, latitude, longitude, timeZone, windows: null};
		await fleet.call(`PUT /sites/${id}`, site, {'If-Match': '"0"'});
	}
	fillBoxes(fleet.databaseUrl.replace(/^sqlite:(?:\/\/)?/u, ''), boxes);
	const browser = await withBrowser(t);
	const page = await browser.newPage({viewport: {width: 1600, height: 900}});
	page.setDefaultTimeout(15_000);
	return {fleet, browser, page};
};

export const signInToConsole = async (
	{fleet, page}: Pick<TestConsole, 'fleet' | 'page'>,
	name = 'admin',
): Promise<void> => {
	await page.goto(fleet.url);
	await page.getByLabel('Name').fill(name);
	await page.getByLabel('Password').fill(adminPassword);
	await page.getByRole('button', {name: 'Sign in', exact: true}).click();
	await page.getByRole('heading', {name: 'Overview'}).waitFor();
	await waitForKeys(page);
};

/** Waits until the page hears keys, which it begins to together with following the server. */
export const waitForKeys = async (page: Page): Promise<void> => await page.getByText('Live', {exact: true}).waitFor();

/** By the shortcut, whose second key must follow within 1.2 s: on a busy machine it may take another go. */
export const goToBoxesByKeys = async (page: Page): Promise<void> => {
	await eventually(
		'the page of the boxes',
		async () => {
			await page.keyboard.press('g');
			await page.keyboard.press('b');
			return new URL(page.url()).pathname === '/boxes';
		},
		{intervalMs: 200},
	);
};

/** Another person's account, whose first password is changed already. */
export const addConsoleAccount = async (fleet: TestFleet, name: string, role: AccountRole): Promise<void> => {
	const {body} = await fleet.call('POST /accounts', {name, displayName: name, role});
	const cookie = await signInToFleet(fleet.url, name, body.oneTimePassword);
	const change = {current: body.oneTimePassword, next: adminPassword};
	await fleetCall(fleet.url, {Cookie: cookie})('PUT /session/password', change);
};

const fillBoxes = (file: string, count: number): void => {
	const database = new Database(file);
	const insert = database.prepare(
		`insert into box (id, kind, site, tags, model, serial, release, presence, last_seen_ms, health, enrolled_ms, time_zone)
		values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	);
	const now = Date.now();
	database.transaction(() => {
		for (let index = 0; index < count; index += 1) {
			const [site, , , , timeZone] = consoleSites[(index * 7 + (index >> 3)) % consoleSites.length] ?? consoleSites[0];
			const kind = index % 97 === 0 ? 'headend' : index % 13 === 0 ? 'pop-node' : 'stb';
			const isOnline = index % 29 !== 0;
			const health = index % 211 === 0 ? 'critical' : index % 41 === 0 ? 'warning' : 'ok';
			insert.run(
				`${kind}-${String(index).padStart(6, '0')}`,
				...[kind, site, index % 5 === 0 ? '["beta"]' : '[]', 'SV-A78', `SN${100_000 + index}`],
				...[index % 6 === 0 ? '2.3.1' : '2.4.0', isOnline ? 'online' : 'offline'],
				...[now - (isOnline ? index % 60_000 : 86_400_000), health, now - 9e9, timeZone],
			);
		}
	})();
	database.close();
};
