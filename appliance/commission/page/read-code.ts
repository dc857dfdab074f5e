import {create} from '../../page/dom.ts';

/** More of a photograph shows a decoder nothing more of a code that fills half of it, and costs a phone its memory. */
const pixelsMax = 4_000_000;

/**
 * The text of the QR code in a photograph. A file field needs no more than plain http, on which a browser gives a page
 * neither its camera nor its own reader of codes.
 */
export const readCode = async (photograph: Blob): Promise<string> => {
	const {decodeQR} = await import('qr/decode.js');
	const pixels = await pixelsOf(photograph);
	try {
		// Each way of looking is tried: their number is bounded by the pixels, and nobody waits for a next frame.
		return decodeQR(pixels, {effort: Number.POSITIVE_INFINITY, timeLimit: Number.POSITIVE_INFINITY});
	} catch (cause) {
		throw new Error('No QR code is seen in this picture. Come closer, hold still, and keep reflections off it.', {
			cause,
		});
	}
};

const pixelsOf = async (photograph: Blob): Promise<ImageData> => {
	const picture = await createImageBitmap(photograph).catch((cause: unknown) => {
		throw new Error('This file is no picture that this browser can open.', {cause});
	});
	try {
		const scale = Math.min(1, Math.sqrt(pixelsMax / (picture.width * picture.height)));
		const [width, height] = [picture.width, picture.height].map((size) => Math.max(1, Math.floor(size * scale)));
		const context = create('canvas', {width, height}).getContext('2d', {willReadFrequently: true});
		if (context === null || width === undefined || height === undefined) {
			throw new Error('This browser lets no page look at a picture.');
		}
		context.drawImage(picture, 0, 0, width, height);
		return context.getImageData(0, 0, width, height);
	} finally {
		picture.close();
	}
};
