import type {StbTitles} from '#appliance/contract/stb-status-schema.ts';

/** A row of GET /box/titles. */
export type PageTitle = StbTitles['titles'][number];

const hlsType = 'application/vnd.apple.mpegurl';

/** Where our player finds the title on this box; undefined when it comes in no form that a browser plays. */
export const playablePathOf = (title: PageTitle): string | undefined => {
	const hls = title.manifests.find((manifest) => manifest.contentType === hlsType);
	if (hls === undefined) {
		return title.playPath.includes('.m3u8') ? title.playPath : undefined;
	}
	return title.playPath.includes('.mpd') ? (URL.parse(hls.uri)?.pathname ?? title.playPath) : title.playPath;
};

const folderOf = (uri: string): string => uri.slice(0, uri.lastIndexOf('/') + 1);

/** The title that an object belongs to, by the folder of its manifest; the longest match counts. */
export const titleOfObject = (titles: readonly PageTitle[], uri: string): PageTitle | undefined => {
	let best: {readonly title: PageTitle; readonly length: number} | undefined;
	for (const title of titles) {
		for (const manifest of title.manifests) {
			const folder = folderOf(manifest.uri);
			if (uri.startsWith(folder) && folder.length > (best?.length ?? 0)) {
				best = {title, length: folder.length};
			}
		}
	}
	return best?.title;
};

const channelNumberLast = 10_000;

/** Channels by number, then by name; titles by name. */
export const sortTitles = (titles: readonly PageTitle[]): readonly PageTitle[] =>
	titles.toSorted(
		(a, b) =>
			(a.channelNumber ?? channelNumberLast) - (b.channelNumber ?? channelNumberLast) || a.name.localeCompare(b.name),
	);
