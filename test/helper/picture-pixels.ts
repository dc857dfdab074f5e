import type {Page} from 'playwright-core';

export type Pixels = {readonly width: number; readonly height: number; readonly data: Uint8Array};

/** The pixels of a PNG, opened by a browser's page: none of our packages opens pictures. */
export const picturePixels = async (page: Page, png: Buffer): Promise<Pixels> => {
	const {width, height, text} = await page.evaluate<{width: number; height: number; text: string}>(`(async () => {
		const bytes = Uint8Array.from(atob('${png.toString('base64')}'), (character) => character.charCodeAt(0));
		const picture = await createImageBitmap(new Blob([bytes]));
		const {width, height} = picture;
		const context = Object.assign(document.createElement('canvas'), {width, height}).getContext('2d');
		context.drawImage(picture, 0, 0);
		const {data} = context.getImageData(0, 0, width, height);
		return {width, height, text: btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(''))};
	})()`);
	return {width, height, data: Buffer.from(text, 'base64')};
};
