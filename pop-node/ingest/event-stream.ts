import {CodedError} from '#appliance/error/coded-error.ts';
import type {PopNodeErrorCode} from '#pop-node/error-code.ts';

/** One event; a catalogue change with a path of 900 characters takes under 4 KiB. */
const eventCharactersMax = 64 * 1024;

/** The `data` of each event of a server-sent event stream (WHATWG HTML section 9.2); other fields are of no use here. */
export async function* readEventData(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
	const decoder = new TextDecoder();
	let pending = '';
	let data: string[] = [];
	let dataCharacters = 0;
	for await (const chunk of chunks) {
		pending += decoder.decode(chunk, {stream: true});
		const lines = pending.split(/\r\n|\r(?!$)|\n/u);
		pending = lines.pop() ?? '';
		for (const line of lines) {
			if (line.startsWith('data:')) {
				const value = line.slice(line[5] === ' ' ? 6 : 5);
				data.push(value);
				dataCharacters += value.length;
			} else if (line === '' && data.length > 0) {
				yield data.join('\n');
				data = [];
				dataCharacters = 0;
			}
			refuseAbove(dataCharacters);
		}
		refuseAbove(pending.length);
	}
}

const refuseAbove = (characters: number): void => {
	if (characters > eventCharactersMax) {
		throw new CodedError<PopNodeErrorCode>('POP_NODE_HEADEND_INVALID', {
			message: 'An event of the headend’s feed is too large.',
			details: {characters, eventCharactersMax},
		});
	}
};
