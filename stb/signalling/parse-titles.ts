import {z} from 'zod';
import {parseObjectUri} from '#appliance/contract/object-uri.ts';
import {type Title, titleSchema} from '#appliance/contract/title-schema.ts';
import {readEntry} from '#stb/signalling/read-entry.ts';
import {createProblemList, type SignallingProblem, signallingError} from '#stb/signalling/signalling-error.ts';

const documentCharactersMax = 16 * 1024 * 1024;
const titlesMax = 10_000;

const isObjectUri = (text: string): boolean => {
	try {
		parseObjectUri(text);
		return true;
	} catch {
		return false;
	}
};

/** Keys that a newer headend added are dropped, where the contract itself is strict. */
const receivedTitleSchema = z
	.object(titleSchema.shape)
	.refine(
		({manifests, imageUri}) =>
			manifests.every(({uri}) => isObjectUri(uri)) && (imageUri === undefined || isObjectUri(imageUri)),
		{error: 'every address must be an object’s URI'},
	);

const documentSchema = z.object({version: z.literal(1), titles: z.array(z.unknown())});

/**
 * Reads the list of titles. A broken title, or a second one with the same id, is left out and told of.
 * @throws CodedError STB_SIGNALLING_…
 */
export const parseTitles = (
	json: string,
): {readonly titles: readonly Title[]; readonly problems: readonly SignallingProblem[]} => {
	if (json.length > documentCharactersMax) {
		throw signallingError('STB_SIGNALLING_TOO_LARGE', 'This list of titles is longer than any may be.', {
			characters: json.length,
		});
	}
	const document = documentSchema.safeParse(parseJson(json));
	if (!document.success) {
		throw signallingError('STB_SIGNALLING_UNEXPECTED', 'This is not a list of titles.', {}, document.error);
	}
	const problems = createProblemList();
	const titles = new Map<string, Title>();
	for (const [index, raw] of document.data.titles.slice(0, titlesMax).entries()) {
		const where = `titles[${index}]`;
		const title = readEntry(receivedTitleSchema, raw, {where, problems});
		if (title !== undefined && titles.has(title.id)) {
			problems.add({code: 'STB_SIGNALLING_ENTRY_INVALID', where, message: 'Its id is another title’s.'});
		} else if (title !== undefined) {
			titles.set(title.id, title);
		}
	}
	return {titles: [...titles.values()], problems: problems.all()};
};

const parseJson = (json: string): unknown => {
	try {
		return JSON.parse(json);
	} catch (error) {
		throw signallingError('STB_SIGNALLING_MALFORMED', 'This list of titles is not JSON.', {}, error);
	}
};
