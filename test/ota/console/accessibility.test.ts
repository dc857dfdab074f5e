import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import test from 'ava';
import type {AxeResults} from 'axe-core';
import {signInToConsole} from '#test/helper/with-console.ts';
import {withConsoleScene} from '#test/helper/with-console-scene.ts';
import {watchedBox} from '#test/helper/with-console-scene-box.ts';

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
/** SHOTS=directory keeps a picture of every page, in these sizes; the first is the one that axe looks at. */
const shots = process.env['SHOTS'];
const sizes = [
	[1920, 1080],
	[1280, 720],
	[390, 844],
] as const;
const box = `boxes/${watchedBox}`;
const places = [
	...[
		'',
		'boxes',
		'boxes?filter=kindd%3D1',
		'rollouts',
		'rollouts/new',
		'rollouts/scenerunning',
		'rollouts/scenepaused1',
	],
	...['releases', 'releases/2.5.0', 'alerts', 'alerts/mutes', 'alerts/rules', 'alerts/channels', 'sites', 'claims'],
	...['audit', 'accounts', 'accounts/tokens', box, `${box}/telemetry`, `${box}/events`, `${box}/commands`],
	...[`${box}/terminal`, `${box}/log`, `${box}/diagnostics`, `${box}/config`, `${box}/certificates`],
];
const settleMs = 400;

test('no page has a violation that axe calls serious, and none is wider than its window', async (t) => {
	t.timeout(240_000);
	const open = await withConsoleScene(t);
	const {page, fleet} = open;
	const script = await readFile(axe, 'utf8');
	await signInToConsole(open);
	const found: string[] = [];
	for (const place of places) {
		await page.setViewportSize({width: 1920, height: 1080});
		await page.goto(`${fleet.url}/${place}`);
		await page.locator('main').waitFor();
		await page.waitForTimeout(settleMs);
		await page.evaluate(script);
		const {violations} = await page.evaluate<AxeResults>('axe.run(document, {resultTypes: ["violations"]})');
		for (const {id, impact, nodes} of violations) {
			if (impact === 'serious' || impact === 'critical') {
				found.push(`${place}: ${id} ${nodes[0]?.html}`);
			}
		}
		for (const [width, height] of sizes) {
			await page.setViewportSize({width, height});
			if (shots !== undefined) {
				await page.waitForTimeout(settleMs);
				const name = place.replaceAll(/[^a-z0-9]+/gu, '-') || 'overview';
				await page.screenshot({path: `${shots}/${name}-${width}.png`});
			}
			const overflow = await page.evaluate<number>(
				'Math.max(document.documentElement.scrollWidth - innerWidth, ...[...document.querySelectorAll("main")].map((main) => main.scrollWidth - main.clientWidth))',
			);
			if (overflow > 0) {
				found.push(`${place} is ${overflow} px too wide at ${width}`);
			}
		}
	}
	t.deepEqual(found, []);
});
