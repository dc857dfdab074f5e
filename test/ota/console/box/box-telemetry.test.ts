import test from 'ava';
import {signInToConsole} from '#test/helper/with-console.ts';
import {withConsoleScene} from '#test/helper/with-console-scene.ts';
import {watchedBox} from '#test/helper/with-console-scene-box.ts';

test('a chart that does not follow its window yet makes no page wider', async (t) => {
	t.timeout(120_000);
	const open = await withConsoleScene(t);
	const {page, fleet} = open;
	// A window that was made smaller this very moment, for as long as the test wants to look at it.
	await page.addInitScript('window.ResizeObserver = class {observe() {} unobserve() {} disconnect() {}}');
	await signInToConsole(open);
	await page.setViewportSize({width: 1280, height: 720});
	// A chart is made anew when its range moves on, which it does at a full minute.
	await page.clock.setFixedTime(Date.now());
	await page.goto(`${fleet.url}/boxes/${watchedBox}/telemetry`);
	await page.locator('.chart canvas').first().waitFor();
	const chartWidth = async () => (await page.locator('.chart canvas').first().boundingBox())?.width ?? 0;
	const wide = await chartWidth();
	await page.setViewportSize({width: 390, height: 844});
	t.is(await chartWidth(), wide);
	t.true(wide > 390, `${wide} px`);
	const overflow = await page.evaluate<number>(
		'Math.max(...[...document.querySelectorAll("html, main")].map((element) => element.scrollWidth - element.clientWidth))',
	);
	t.is(overflow, 0);
});
