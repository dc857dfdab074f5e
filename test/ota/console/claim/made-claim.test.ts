import {readFile} from 'node:fs/promises';
import test from 'ava';
import {decodeQR} from 'qr/decode.js';
import {claimSchema} from '#appliance/identity/claim-schema.ts';
import {type Pixels, picturePixels} from '#test/helper/picture-pixels.ts';
import {signInToConsole, withConsole} from '#test/helper/with-console.ts';

/** SHOTS=directory keeps pictures. */
const shots = process.env['SHOTS'];

/** Three modules of the four, as the edge of the fourth may be blurred: a code of so many letters has 33 and the quiet zone. */
const isWhiteAround = ({width, height, data}: Pixels): boolean => {
	const isWhite = (x: number, y: number): boolean => (data[(y * width + x) * 4] ?? 0) > 240;
	const depth = Math.floor((width * 3) / 41);
	const around = Array.from({length: depth}, (_, index) => index + 1);
	return around.every((near) =>
		Array.from({length: width - 2}, (_, index) => index + 1).every(
			(along) =>
				isWhite(along, near) &&
				isWhite(near, along) &&
				isWhite(along, height - 1 - near) &&
				isWhite(width - 1 - near, along),
		),
	);
};

test('a made claim shows its token as a code that is read from the screen and from paper', async (t) => {
	t.timeout(120_000);
	const open = await withConsole(t, {boxes: 0});
	const {page, fleet, browser} = open;
	await signInToConsole(open);
	await page.goto(`${fleet.url}/claims`);
	await page.getByRole('button', {name: 'New claim'}).click();
	const download = page.waitForEvent('download');
	await page.getByRole('button', {name: 'Make and download'}).click();
	const {token = 'none'} = claimSchema.parse(JSON.parse(await readFile(await (await download).path(), 'utf8')));
	const dialog = page.getByRole('dialog', {name: 'Claim for whichever box comes'});
	await dialog.getByText(token, {exact: true}).waitFor();
	const code = dialog.getByRole('img', {name: 'The token as a QR code'});
	await page.waitForFunction('document.querySelector(".token-code img").complete');
	const reads = async (): Promise<string> => {
		const pixels = await picturePixels(page, await code.screenshot());
		t.true(isWhiteAround(pixels));
		return decodeQR(pixels);
	};
	t.is(await reads(), token);
	const shoot = async (name: string): Promise<void> => {
		if (shots !== undefined) {
			await page.screenshot({path: `${shots}/made-claim-${name}.png`});
		}
	};
	await shoot('screen');
	await page.setViewportSize({width: 390, height: 844});
	t.is(await reads(), token, 'on a telephone');
	await shoot('phone');
	await page.setViewportSize({width: 794, height: 1123});
	await page.emulateMedia({media: 'print'});
	t.is(await reads(), token, 'on paper');
	await shoot('print');
	await page.emulateMedia({media: 'screen'});
	const again = page.waitForEvent('download');
	await dialog.getByRole('button', {name: 'Download again'}).click();
	t.like(JSON.parse(await readFile(await (await again).path(), 'utf8')), {token});
	await dialog.getByRole('button', {name: 'Done'}).click();
	await dialog.waitFor({state: 'detached'});
	t.is(await page.getByText(token ?? 'none').count(), 0, 'it is shown once');
	t.deepEqual(
		browser.errors().filter((error) => !error.includes('status of 401')),
		[],
	);
});
