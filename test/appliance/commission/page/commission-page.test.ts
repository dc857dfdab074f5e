import {existsSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import test from 'ava';
import type {AxeResults} from 'axe-core';
import type {Page} from 'playwright-core';
import {withBrowser} from '#test/helper/with-browser.ts';
import {type CommissionScene, sampleClaim, shownCode, withCommission} from '#test/helper/with-commission.ts';

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
/** SHOTS=directory keeps pictures. */
const shots = process.env['SHOTS'];
const sizes = [
	['laptop', 1280, 800],
	['phone', 390, 844],
] as const;

const locked = {name: 'adapter0/frontend0', locked: true, levelDbm: -46.5, cnrDb: 12.8, bitErrorRatio: 2e-6};

const look = async (page: Page, name: string): Promise<readonly string[]> => {
	const found: string[] = [];
	await page.evaluate(await readFile(axe, 'utf8'));
	for (const [size, width, height] of sizes) {
		await page.setViewportSize({width, height});
		const {violations} = await page.evaluate<AxeResults>('axe.run(document, {resultTypes: ["violations"]})');
		found.push(...violations.map(({id, nodes}) => `${size}: ${id} ${nodes[0]?.html}`));
		const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
		if (overflow > 0) {
			found.push(`${size} is ${overflow} px too wide`);
		}
		if (shots !== undefined) {
			await page.screenshot({path: `${shots}/${name}-${size}.png`, fullPage: true});
		}
	}
	return found;
};

const open = async (t: Parameters<typeof withCommission>[0], scene: CommissionScene) => {
	const browser = await withBrowser(t);
	const page = await browser.newPage({viewport: {width: 1280, height: 800}, reducedMotion: 'reduce'});
	await page.goto(scene.url);
	await page.getByText('stb-8c1f64a0b21e').first().waitFor();
	return {page, browser};
};

test.serial('a technician points the dish at what the box’s file names, and at something else', async (t) => {
	const scene = await withCommission(t);
	scene.role = {...scene.role, tuner: locked};
	const {page, browser} = await open(t, scene);
	const values = () => page.locator('.dial-value').allTextContents();
	t.deepEqual(await values(), ['180.5°', '29.9°', '0.3°']);
	await page.getByText('Locked', {exact: true}).waitFor();
	await page.getByText('12.8 dB', {exact: true}).waitFor();
	const bars = await page.locator('[role=meter]').all();
	t.deepEqual(await Promise.all(bars.map((bar) => bar.getAttribute('aria-valuenow'))), ['82', '64', '57', '74']);
	t.deepEqual(await look(page, 'signal'), []);
	await page.getByLabel('Satellite').fill('19.2');
	t.deepEqual(await values(), ['172.7°', '29.7°', '−4.4°']);
	await page.getByLabel('Satellite').fill('-113');
	await page.getByText('is below the horizon here').waitFor();
	await page.getByLabel('Latitude').fill('');
	await page.getByText('Say where the dish stands').waitFor();
	t.deepEqual(browser.errors(), []);
});

test.serial('without a tuner it says so, and a lock that goes is seen', async (t) => {
	const scene = await withCommission(t);
	const {page} = await open(t, scene);
	await page.getByText('No tuner', {exact: true}).waitFor();
	t.true(await page.locator('.bars').isHidden(), 'there is no bar that nothing measured');
	t.deepEqual(await look(page, 'no-tuner'), []);
	scene.role = {...scene.role, tuner: locked};
	await page.getByText('Locked', {exact: true}).waitFor();
	scene.role = {...scene.role, tuner: {name: 'adapter0/frontend0', locked: false, levelDbm: -46.5}};
	await page.getByText('No lock', {exact: true}).waitFor();
	const values = await page.locator('.bar-value').allTextContents();
	t.deepEqual(
		values,
		['28 %', 'not told', '−46.5 dBm', 'not told'],
		'the aim falls with the lock, and the level stays',
	);
	t.deepEqual(await look(page, 'searching'), []);
	await page.context().setOffline(true);
	await page.getByText('No answer', {exact: true}).waitFor();
	t.pass();
});

test.serial('a lock is told from a lock on our own satellite', async (t) => {
	const scene = await withCommission(t);
	const counts = {sectionErrors: 0, sectionErrorsPerMinute: 0, overruns: 0, droppedBytes: 0, losses: 0};
	const carrier = {frequencyKhz: 11_727_500, polarization: 'vertical', symbolRate: 27_500_000};
	const work = {phase: 'announcing', carrier, marginDb: 4.89, lockMs: 640, ...counts} as const;
	scene.role = {...scene.role, tuner: {...locked, work}};
	const {page} = await open(t, scene);
	await page.getByText('Locked, not ours yet', {exact: true}).waitFor();
	await page.getByText('nothing of our network is heard there yet').waitFor();
	await page
		.getByText('adapter0/frontend0 at 11,727.5 MHz vertical, 27.5 Msym/s, 4.9 dB above what it needs.')
		.waitFor();
	t.deepEqual(await look(page, 'foreign'), []);
	scene.role = {...scene.role, tuner: {...locked, work: {...work, phase: 'acquiring'}}};
	await page.getByText('Locked', {exact: true}).waitFor();
});

test.serial('the tone sounds only after a press', async (t) => {
	const scene = await withCommission(t);
	scene.role = {...scene.role, tuner: locked};
	const {page} = await open(t, scene);
	await page.evaluate(
		'window.contexts = []; window.AudioContext = class extends AudioContext { constructor() { super(); contexts.push(this); } };',
	);
	const states = () => page.evaluate<readonly string[]>('contexts.map(({state}) => state)');
	await page.getByText('Locked', {exact: true}).waitFor();
	t.deepEqual(await states(), []);
	await page.getByRole('button', {name: 'Tone on'}).click();
	await page.getByRole('button', {name: 'Tone off'}).waitFor();
	t.deepEqual(await states(), ['running']);
	await page.getByRole('button', {name: 'Tone off'}).click();
	await page.getByRole('button', {name: 'Tone on'}).waitFor();
	t.deepEqual(await states(), ['closed']);
});

test.serial('a claim and a report are brought, and the sheet is one page of paper', async (t) => {
	const scene = await withCommission(t, {resets: true});
	scene.role = {...scene.role, tuner: locked};
	const {page, browser} = await open(t, scene);
	const claim = page.getByLabel('Claim from the console');
	await claim.fill('{');
	await page.getByRole('button', {name: 'Enrol this box'}).click();
	await page.getByText('This is not a claim').waitFor();
	await page.getByLabel('Or its file').setInputFiles({
		name: 'claim.json',
		mimeType: 'application/json',
		buffer: Buffer.from(JSON.stringify(sampleClaim())),
	});
	await page.waitForFunction('document.querySelector("#claim-text").value.length > 100');
	await page.getByRole('button', {name: 'Enrol this box'}).click();
	await page.getByText('The box enrols within half a minute').waitFor();
	t.deepEqual(JSON.parse(await readFile(scene.claimFile, 'utf8')), sampleClaim());
	t.is(await claim.inputValue(), '', 'the token stays on no screen');
	scene.linked = true;
	scene.fleet = {enrolled: true, connected: true, sinceMs: 0, overlayRevision: 0};
	await page.getByLabel('Your name').fill('Ada Lovelace');
	await page.getByLabel('Remarks').fill('Dish on the north wall, 20 m of cable.');
	const send = page.getByRole('button', {name: 'Store and send the report'});
	await page.locator('#field-report-code').waitFor();
	await send.click();
	await page.getByText('it needs the code that its console shows').waitFor();
	await page.locator('#field-report-code').fill(await shownCode(scene));
	await send.click();
	await page.getByText('The report is stored on the box.').waitFor();
	await page.getByText('Ada Lovelace. The fleet has it.').waitFor();
	t.like(scene.told[0], {technician: 'Ada Lovelace', dish: {satelliteDegreesEast: 13}, tuner: {locked: true}});
	t.deepEqual(await look(page, 'report'), []);
	const sheet = await page.pdf({
		preferCSSPageSize: true,
		printBackground: true,
		...(shots && {path: `${shots}/sheet.pdf`}),
	});
	await page.emulateMedia({media: 'print'});
	t.true(await page.locator('.reset').isHidden());
	if (shots !== undefined) {
		await page.setViewportSize({width: 688, height: 1017});
		await page.screenshot({path: `${shots}/sheet.png`, fullPage: true});
	}
	t.is([...sheet.toString('latin1').matchAll(/\/Type\s*\/Page\b/gu)].length, 1);
	t.deepEqual(
		browser.errors().filter((error) => !error.includes('status of 403')),
		[],
	);
});

test.serial('who stands at the box resets it, and says which box it is', async (t) => {
	const scene = await withCommission(t, {resets: true});
	const {page, browser} = await open(t, scene);
	const panel = page.getByRole('region', {name: 'Reset to factory settings'});
	await panel.waitFor();
	t.is(await page.locator('main > section').last().getAttribute('aria-labelledby'), 'reset-title');
	await panel.getByText('The releases in its slots stay.').waitFor();
	const [name, code] = [panel.getByLabel('Name of this box'), panel.getByLabel('Code on the box’s console')];
	const button = panel.getByRole('button', {name: 'Reset this box'});
	await name.fill('stb-other');
	await code.fill(await shownCode(scene));
	await button.click();
	await panel.getByText('This is not the name of this box; nothing is reset.').waitFor();
	t.deepEqual(await look(page, 'reset'), []);
	await name.fill('stb-8c1f64a0b21e');
	await code.fill('AAAA-AAAA');
	await button.click();
	await panel.getByText('The code is not the one that the console shows now.').waitFor();
	t.false(existsSync(scene.resetRequestFile));
	await code.fill(await shownCode(scene));
	await button.click();
	await panel.getByText('The box starts anew and is reset').waitFor();
	t.true(existsSync(scene.resetRequestFile));
	t.is(await name.inputValue(), '', 'it is asked for once');
	t.deepEqual(
		browser.errors().filter((error) => !error.includes('status of 403')),
		[],
	);
});

test.serial('a box that nobody would reset offers none', async (t) => {
	const {page} = await open(t, await withCommission(t));
	await page.getByText('Live', {exact: true}).waitFor();
	t.true(await page.locator('.reset').isHidden());
});

test.serial('a box that keeps nothing says so, and asks for its code', async (t) => {
	const why =
		'the data partition cannot be used (it cannot be mounted): nothing that this box keeps outlives this boot';
	const {page} = await open(t, await withCommission(t, {stateLost: why}));
	await page.getByText(/^The data partition cannot be used .* outlives this boot\. Whose it is/u).waitFor();
	t.true(await page.locator('#field-claim-code').isVisible());
	t.deepEqual(await look(page, 'state-lost'), []);
});
