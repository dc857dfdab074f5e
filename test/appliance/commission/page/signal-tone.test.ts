import test, {type ExecutionContext} from 'ava';
import type {Page} from 'playwright-core';
import {eventually} from '#test/helper/eventually.ts';
import {withBrowser} from '#test/helper/with-browser.ts';
import {withCommission} from '#test/helper/with-commission.ts';

const name = 'adapter0/frontend0';
/** Louder is not silent, and a silence glides. */
const audible = 0.2;
const inaudible = 0.001;

/** Keeps what the page makes of Web Audio where a test can ask it. */
const spy = `
	window.heard = {};
	window.OscillatorNode = class extends OscillatorNode { constructor(...given) { super(...given); heard.tone = this; } };
	window.GainNode = class extends GainNode { constructor(...given) { super(...given); heard.gain = this; } };
`;

const withTone = async (t: ExecutionContext, tuner: object) => {
	const scene = await withCommission(t);
	const tune = (told: object): void => {
		scene.role = {...scene.role, tuner: {name, locked: false, ...told}};
	};
	tune(tuner);
	const browser = await withBrowser(t);
	const page: Page = await browser.newPage();
	await page.addInitScript(spy);
	await page.goto(scene.url);
	await page.getByRole('button', {name: 'Tone on'}).click();
	const hertz = () => page.evaluate<number>('heard.tone.frequency.value');
	const loudness = () => page.evaluate<number>('heard.gain.gain.value');
	await eventually('it sounds', async () => (await loudness()) > audible);
	return {page, tune, hertz, loudness};
};

test.serial('the tone follows the dish while another page is in front', async (t) => {
	const {page, tune, hertz} = await withTone(t, {levelDbm: -65});
	await page.evaluate('Object.defineProperty(document, "hidden", {get: () => true})');
	tune({locked: true, levelDbm: -45, cnrDb: 14});
	await eventually('it rises', async () => (await hertz()) > 1200);
	tune({locked: false, levelDbm: -45});
	await eventually('it falls, though the level stays', async () => (await hertz()) < 500);
	t.pass();
});

test.serial('a box that does not answer is silent, though nothing runs on the page that could say so', async (t) => {
	const {page, loudness} = await withTone(t, {levelDbm: -65});
	await page.evaluate('window.fetch = () => new Promise(() => undefined)');
	await eventually('it is silent', async () => (await loudness()) < inaudible);
	t.pass();
});

test.serial('a tuner that tells nothing is silent, and heard again', async (t) => {
	const {tune, loudness} = await withTone(t, {locked: true, levelDbm: -45, cnrDb: 14});
	tune({locked: true});
	await eventually('it is silent', async () => (await loudness()) < inaudible);
	tune({levelDbm: -65});
	await eventually('it sounds again', async () => (await loudness()) > audible);
	t.pass();
});
