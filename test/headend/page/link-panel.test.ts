import test from 'ava';
import {withBrowser} from '#test/helper/with-browser.ts';
import {sampleHeadendStatus, withHeadendPage} from '#test/helper/with-headend-page.ts';

test.serial('the link budget tells what is left for objects, and what each layer takes', async (t) => {
	const server = await withHeadendPage(t);
	const browser = await withBrowser(t);
	const page = await browser.newPage({viewport: {width: 1400, height: 900}});
	await page.goto(server.url);
	const panel = page.getByRole('region', {name: 'Link budget'});
	await panel.getByText('61.3 Mbit/s in 33.0 MHz').waitFor();
	await panel.getByText('2.228 bit/symbol at 27.5 Msym/s').waitFor();
	await panel.getByText('7.91 dB').waitFor();
	t.regex((await panel.locator('.big').textContent()) ?? '', /^5[34]\.\d Mbit\/s$/u);
	const widths = await panel
		.locator('.stack-part')
		.evaluateAll((parts) => parts.map((part) => part.getBoundingClientRect().width));
	const shares = await panel.locator('tbody tr td:nth-child(3)').allTextContents();
	t.is(widths.length, shares.length);
	const total = shares.reduce((sum, text) => sum + Number.parseFloat(text), 0);
	t.true(Math.abs(total - 100) < 0.3, `the shares add up to ${total} %`);
	const objects = Number.parseFloat(shares.at(-1) ?? '');
	const width = widths.reduce((sum, each) => sum + each, 0);
	t.true(Math.abs(((widths.at(-1) ?? 0) / width) * 100 - objects) < 2, 'the picture shows the same');
	t.deepEqual(browser.errors(), []);
});

test.serial('it follows a change of MODCOD, and goes where there is no transponder', async (t) => {
	const server = await withHeadendPage(t);
	const browser = await withBrowser(t);
	const page = await browser.newPage({viewport: {width: 390, height: 844}});
	await page.goto(server.url);
	const panel = page.getByRole('region', {name: 'Link budget'});
	await panel.getByText('8PSK 3/4, normal frames').waitFor();
	t.true(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'nothing is wider than a phone');
	const status = sampleHeadendStatus();
	const {link} = status;
	server.status = {...status, ...(link === undefined ? {} : {link: {...link, modcod: 'QPSK 1/2', pilots: true}})};
	await panel.getByText('QPSK 1/2, normal frames, pilots').waitFor();
	server.status = {...status, link: undefined};
	await panel.waitFor({state: 'hidden'});
	t.pass();
});
