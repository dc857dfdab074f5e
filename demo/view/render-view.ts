import type {DemoSnapshot} from '#demo/watch/watch-boxes.ts';

const barCharacters = 24;
const arrivalsShown = 8;

const megabits = (bps: number): string => `${(bps / 1e6).toFixed(1)} Mbit/s`;
const mebibytes = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
const percent = (ratio: number): string => `${(ratio * 100).toFixed(1)} %`;

export const bar = (ratio: number, characters: number = barCharacters): string => {
	const filled = Math.round(Math.min(1, Math.max(0, ratio)) * characters);
	return '█'.repeat(filled) + '░'.repeat(characters - filled);
};

/** The end of a path tells more than its beginning. */
const shorten = (text: string, characters: number): string =>
	text.length <= characters ? text.padEnd(characters) : `…${text.slice(1 - characters)}`;

/** The live view: at most a screenful of lines, none wider than the terminal. */
export const renderView = (snapshot: DemoSnapshot, columns: number): readonly string[] => {
	const {headend, stb, link} = snapshot;
	const nameCharacters = Math.max(16, Math.min(48, columns - barCharacters - 24));
	const lines = [
		headend === undefined
			? 'headend    does not answer'
			: `headend    ${megabits(headend.uplink.sentBps)} of ${megabits(headend.uplink.rateBps)}, ${headend.carousel.objectsSent} objects sent, cycle ${bar(headend.carousel.position, 12)} ${headend.carousel.cycles}`,
		`satellite  ${link.packets} packets, ${percent(link.injectedRatio)} lost (${link.lost} at random, ${link.faded} in the rain)`,
	];
	if (stb === undefined) {
		return [...lines, 'set-top    does not answer'].map((line) => line.slice(0, columns));
	}
	const {receive, objects, repair, cache} = stb;
	lines.push(
		`set-top    ${megabits(receive.rateBps)}, ${objects.received} objects whole, ${objects.repaired} of them repaired, ${objects.failed} failed`,
		`repair     ${mebibytes(receive.fecRecoveredBytes)} by FEC, ${mebibytes(repair.bytes)} from the pop-node in ${repair.requests} requests, p50 ${Math.round(repair.latencyMs.p50)} ms, p99 ${Math.round(repair.latencyMs.p99)} ms`,
		`cache      ${bar(cache.budgetBytes === 0 ? 0 : cache.bytes / cache.budgetBytes, 12)} ${cache.objects} objects, ${mebibytes(cache.bytes)}, hit ratio ${percent(cache.hitRatio)}`,
		'',
	);
	for (const arrival of objects.arriving.slice(0, arrivalsShown)) {
		const ratio = arrival.sizeBytes === 0 ? 1 : arrival.receivedBytes / arrival.sizeBytes;
		const name = shorten(decodeURI(new URL(arrival.uri).pathname), nameCharacters);
		const repaired = arrival.repairedBytes === 0 ? '' : ` +${mebibytes(arrival.repairedBytes)}`;
		lines.push(`${name} ${bar(ratio)} ${arrival.phase}${repaired}`);
	}
	if (objects.arriving.length > arrivalsShown) {
		lines.push(`and ${objects.arriving.length - arrivalsShown} more`);
	}
	return lines.map((line) => line.slice(0, columns));
};

/** One line for a log or a pipe. */
export const renderLine = ({headend, stb, link}: DemoSnapshot): string =>
	[
		`sent ${headend?.carousel.objectsSent ?? '?'}`,
		`received ${stb?.objects.received ?? '?'}`,
		`repaired ${stb?.objects.repaired ?? '?'}`,
		`failed ${stb?.objects.failed ?? '?'}`,
		`lost ${percent(link.injectedRatio)}`,
		`fec ${mebibytes(stb?.receive.fecRecoveredBytes ?? 0)}`,
		`pop-node ${mebibytes(stb?.repair.bytes ?? 0)}`,
		`cache ${stb?.cache.objects ?? '?'} objects`,
	].join(', ');
