import {mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {Page} from 'playwright-core';
import {identityDirectoryOf} from '#appliance/identity/identity-files.ts';
import {tokenCode} from '#ota/console/claim/token-code.ts';
import {type TestBrowser, withBrowser} from '#test/helper/with-browser.ts';
import {type CommissionScene, sampleClaim, withCommission} from '#test/helper/with-commission.ts';

const token = 'Zk3vQ0uYw-9cXb2_TnRr7sLhPpEeDdAa1BfGmJ4iKoU';
/** SHOTS=directory keeps pictures. */
const shots = process.env['SHOTS'];
const name = 'stb-8c1f64a0b21e.local';
/** A picture is looked at with much arithmetic, on a machine that may be busy. */
const waitMaxMs = 120_000;
/** Of what the page itself looks at. */
const pixelsMax = 4_000_000;

/** The page by the box's name on plain http, as in a home: a browser trusts 127.0.0.1 with more. */
const open = async (t: ExecutionContext, {url}: CommissionScene) => {
	const browser = await withBrowser(t, [`--host-resolver-rules=MAP ${name} 127.0.0.1`]);
	const page = await browser.newPage({viewport: {width: 390, height: 844}, reducedMotion: 'reduce'});
	page.setDefaultTimeout(waitMaxMs);
	await page.goto(url.replace('127.0.0.1', name));
	await page.getByText('stb-8c1f64a0b21e').first().waitFor();
	t.false(await page.evaluate('isSecureContext'));
	return {browser, page};
};

type View = {readonly turn?: string; readonly grain?: number; readonly scale?: number};

/** What a camera sees of the code that the console shows: turned, aslant, unevenly lit, with a grain of its own. */
const photographOf = async (browser: TestBrowser, text: string, {turn = '', grain = 0, scale = 1}: View = {}) => {
	const page = await browser.newPage({viewport: {width: 1200, height: 900}, deviceScaleFactor: scale});
	await page.setContent(`
		<body style="margin: 0; height: 100vh; display: grid; place-items: center; background: #3a3f38">
			<img src="${tokenCode(text)}" style="width: 620px; background: #f4efe0; transform: ${turn}">
			<div style="position: fixed; inset: 0; background: linear-gradient(115deg, rgb(0 0 0 / 0.45), transparent 60%)"></div>
			<svg width="100%" height="100%" style="position: fixed; inset: 0; opacity: ${grain}">
				<filter id="grain"><feTurbulence type="fractalNoise" baseFrequency="0.8" numOctaves="2" seed="7" /></filter>
				<rect width="100%" height="100%" filter="url(#grain)" />
			</svg>`);
	await page.waitForFunction('document.images[0].complete');
	const buffer = await page.screenshot();
	await page.close();
	return {name: 'photograph.png', mimeType: 'image/png', buffer};
};

const photograph = (page: Page) => page.getByLabel('Photograph a QR code');
const enrol = (page: Page) => page.getByRole('button', {name: 'Enrol this box'}).click();
const readCode = 'The code is read. Now press “Enrol this box”.';

/** A box that has a claim and no token that is good. */
const withClaim = async (t: ExecutionContext) => {
	const scene = await withCommission(t);
	const {token: _, ...claim} = sampleClaim();
	await mkdir(identityDirectoryOf(scene.stateDirectory));
	await writeFile(path.join(identityDirectoryOf(scene.stateDirectory), 'claim.json'), JSON.stringify(claim));
	scene.fleet = {enrolled: false, connected: false, sinceMs: 0, overlayRevision: 0};
	return {scene, claim};
};

test.serial('a token is photographed from the console by hand, and completes the claim', async (t) => {
	const {scene, claim} = await withClaim(t);
	const {browser, page} = await open(t, scene);
	const field = page.getByLabel('Or a token alone');
	await field.waitFor();
	const turn = 'perspective(1500px) rotateX(26deg) rotateY(-19deg) rotate(12deg)';
	const picture = await photographOf(browser, token, {turn, grain: 0.3});
	if (shots !== undefined) {
		await writeFile(`${shots}/photograph.png`, picture.buffer);
	}
	await photograph(page).setInputFiles(picture);
	await page.getByText(readCode).waitFor();
	t.is(await field.inputValue(), token);
	if (shots !== undefined) {
		await page.locator('.claim').screenshot({path: `${shots}/claim-panel-token.png`});
	}
	const issue = await readFile(`${scene.stateDirectory}/commission/console.issue`, 'utf8');
	await page.locator('#field-claim-code').fill(/code (\S+)/u.exec(issue)?.[1] ?? '');
	await enrol(page);
	await page.getByText('The box starts anew with it').waitFor();
	t.deepEqual(JSON.parse(await readFile(scene.claimFile, 'utf8')), {...claim, token});
	t.is(await field.inputValue(), '', 'the token stays on no screen');
	t.deepEqual(browser.errors(), []);
});

test.serial('a large photograph is made smaller before it is looked at', async (t) => {
	const {scene} = await withClaim(t);
	const {browser, page} = await open(t, scene);
	await page.getByLabel('Or a token alone').waitFor();
	await page.evaluate(`
		window.looked = [];
		const look = CanvasRenderingContext2D.prototype.getImageData;
		CanvasRenderingContext2D.prototype.getImageData = function (x, y, width, height) {
			looked.push(width * height);
			return look.call(this, x, y, width, height);
		};`);
	await photograph(page).setInputFiles(await photographOf(browser, token, {turn: 'rotate(-8deg)', scale: 3}));
	await page.getByText(readCode).waitFor();
	const [looked = 0, ...more] = await page.evaluate<readonly number[]>('looked');
	t.deepEqual(more, []);
	t.true(looked <= pixelsMax && looked > 0.9 * pixelsMax, `${looked} pixels`);
});

test.serial('what a photograph does not hold is told in plain words', async (t) => {
	const {scene} = await withClaim(t);
	const {browser, page} = await open(t, scene);
	const field = page.getByLabel('Or a token alone');
	await field.waitFor();
	await field.fill('typed by hand');
	await photograph(page).setInputFiles(await photographOf(browser, token, {turn: 'scale(0.02)'}));
	await page.getByText('No QR code is seen in this picture.').waitFor();
	await photograph(page).setInputFiles({name: 'p.png', mimeType: 'image/png', buffer: Buffer.from('no picture')});
	await page.getByText('This file is no picture that this browser can open.').waitFor();
	t.is(await field.inputValue(), 'typed by hand');
	await page.locator('#field-claim-code').fill('AAAA-AAAA');
	await enrol(page);
	await page.getByText('The code is not the one that the console shows now.').waitFor();
	t.is(await field.inputValue(), 'typed by hand', 'what was typed stays');
});

test.serial('a box without a claim takes a whole claim as a code, and says that it takes no token', async (t) => {
	const scene = await withCommission(t);
	const {browser, page} = await open(t, scene);
	t.true(await page.getByLabel('Or a token alone').isHidden());
	await photograph(page).setInputFiles(await photographOf(browser, token));
	await page.getByText('This is a token alone').waitFor();
	if (shots !== undefined) {
		await page.locator('.claim').screenshot({path: `${shots}/claim-panel-refused.png`});
	}
	await photograph(page).setInputFiles(await photographOf(browser, JSON.stringify(sampleClaim())));
	await page.getByText(readCode).waitFor();
	await enrol(page);
	await page.getByText('The box enrols within half a minute').waitFor();
	t.deepEqual(JSON.parse(await readFile(scene.claimFile, 'utf8')), sampleClaim());
	t.deepEqual(browser.errors(), []);
});
