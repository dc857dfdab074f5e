import {randomBytes} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {formatHtml} from '#cli/probe/report/format-html.ts';
import {formatText} from '#cli/probe/report/format-text.ts';
import {runProbe} from '#cli/probe/run-probe.ts';
import {captured, fdtPackets, sampleFdt, symbolPackets} from '#test/helper/sample-flute.ts';
import {withBrowser} from '#test/helper/with-browser.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {writeCapture} from '#test/helper/write-capture.ts';

const tuning = {symbolRate: 1_000_000, samplesPerSymbol: 2, rollOff: 0.2, goldIndex: 0} as const;
const hostile = 'http://dvb.gw/&lt;img src=x onerror=&quot;window.hacked = true&quot;&gt;&#x1b;[2J';
const object = {toi: 7, uri: hostile, bytes: randomBytes(9000)};

const round = (startMs: number) =>
	captured([...fdtPackets(1, 3, sampleFdt([object])), ...symbolPackets(1, object.toi, object.bytes)], {
		...{startMs, stepMs: 8},
	});

test.serial('the page draws rates and objects, needs nothing else, and takes no markup from the air', async (t) => {
	const directory = await withDirectory(t);
	const path = join(directory, 'a.pcap');
	await writeCapture(path, [...round(Date.now()), ...round(Date.now() + 3000)]);
	const {signal} = new AbortController();
	const report = await runProbe({source: path, forMs: 1, follows: true, tuning, signal, onProgress: () => undefined});
	t.true(report.objects[0]?.uri?.includes('<img'));
	const pagePath = join(directory, 'report.html');
	await writeFile(pagePath, formatHtml(report));
	const browser = await withBrowser(t);
	const page = await browser.newPage({viewport: {width: 390, height: 844}});
	const requests: string[] = [];
	page.on('request', (request) => requests.push(request.url()));
	await page.goto(`file://${pagePath}`);
	await page.getByRole('img', {name: 'Rate over time'}).waitFor();
	t.is(await page.getByRole('img', {name: 'When each object was on air'}).locator('rect').count(), 2);
	t.is(await page.locator('img').count(), 0);
	t.is(await page.evaluate('window.hacked'), undefined);
	t.true(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'));
	t.deepEqual(requests, [`file://${pagePath}`]);
	t.deepEqual(browser.errors(), []);
	t.false(formatText(report).includes('\u001b'), 'nothing of it steers a terminal');
});
