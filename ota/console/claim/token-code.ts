import {encodeQR} from 'qr';

/** The quiet zone of ISO/IEC 18004: without it a reader takes what stands around for a part of the code. */
const quietModules = 4;

/** The address of a picture of the code: a document of its own, which no colour of the page reaches. */
export const tokenCode = (token: string): string => {
	const drawing = encodeQR(token, 'svg', {border: quietModules, ecc: 'quartile'});
	return `data:image/svg+xml,${encodeURIComponent(drawing)}`;
};
