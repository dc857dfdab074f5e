import type {Title} from '#appliance/contract/title-schema.ts';
import type {CatalogueEntry, ObjectForm} from '#headend/catalogue/catalogue-entry.ts';
import {livePathPrefix} from '#headend/catalogue/catalogue-path.ts';
import type {ServiceFile} from '#headend/catalogue/service-file-schema.ts';

/** A title names so many manifests at most; and the list so many titles (titleListSchema). */
const manifestsMax = 8;
const titlesMax = 10_000;

export type TitleSources = {
	readonly objectBaseUri: string;
	readonly entries: Iterable<Pick<CatalogueEntry, 'path' | 'uri' | 'form'>>;
	/** Parsed service.json files by folder (`vod/film/`). */
	readonly serviceFiles: ReadonlyMap<string, ServiceFile>;
	readonly channels: readonly {
		readonly id: string;
		readonly name: string;
		readonly description?: string | undefined;
		readonly channelNumber?: number | undefined;
	}[];
};

type Manifest = {readonly path: string; readonly uri: string; readonly form: ObjectForm};

/** HLS first: it is what the set-top's own player speaks. */
const rank: Readonly<Record<ObjectForm, number>> = {'hls-multivariant': 0, dash: 1, 'hls-media': 2, init: 3};

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/**
 * What can be played: a folder with a multivariant playlist or an MPD is a title. A folder with media playlists only is
 * one as well when a service.json says so; otherwise they belong to the multivariant playlist above them.
 */
export const deriveTitles = (sources: TitleSources): Title[] => {
	const folders = new Map<string, Manifest[]>();
	const uris = new Set<string>();
	for (const {path, uri, form} of sources.entries) {
		uris.add(uri);
		if (form !== undefined && form !== 'init') {
			const folder = folderOf(path);
			const isTop = form !== 'hls-media' || sources.serviceFiles.has(folder);
			if (isTop) {
				folders.set(folder, [...(folders.get(folder) ?? []), {path, uri, form}]);
			}
		}
	}
	const titles = [...folders]
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([folder, found]) => titleOf(folder, found, {...sources, uris}));
	const unique = new Map(titles.map((title) => [title.id, title]));
	return [...unique.values()].slice(0, titlesMax);
};

const titleOf = (
	folder: string,
	found: readonly Manifest[],
	sources: TitleSources & {readonly uris: ReadonlySet<string>},
): Title => {
	const isLiveFolder = folder.startsWith(livePathPrefix);
	const file = sources.serviceFiles.get(folder);
	const segments = folder.split('/').filter((segment) => segment !== '');
	const channel = isLiveFolder ? sources.channels.find(({id}) => id === segments[1]) : undefined;
	const description = file?.description ?? channel?.description;
	const channelNumber = file?.channelNumber ?? channel?.channelNumber;
	return {
		id: file?.id ?? idOf(segments),
		kind: file?.kind ?? (isLiveFolder ? 'live' : 'vod'),
		name: file?.name ?? channel?.name ?? nameOf(segments),
		...(description === undefined ? {} : {description}),
		...(file?.image === undefined ? {} : imageOf(file.image, folder, sources)),
		...(file?.durationMs === undefined ? {} : {durationMs: file.durationMs}),
		...(channelNumber === undefined ? {} : {channelNumber}),
		manifests: manifestsOf(found),
	};
};

/** Media playlists stand back when the folder has something that leads to all of them. */
const manifestsOf = (found: readonly Manifest[]): Title['manifests'] => {
	const hasTop = found.some(({form}) => form !== 'hls-media');
	return found
		.filter(({form}) => !hasTop || form !== 'hls-media')
		.sort((a, b) => rank[a.form] - rank[b.form] || (a.path < b.path ? -1 : 1))
		.slice(0, manifestsMax)
		.map(({uri, form}) => ({
			uri,
			contentType: form === 'dash' ? 'application/dash+xml' : 'application/vnd.apple.mpegurl',
		}));
};

const idOf = (segments: readonly string[]): string => segments.join('-').slice(0, 200) || 'root';

const nameOf = (segments: readonly string[]): string => {
	const last = decodeURIComponent(segments.at(-1) ?? 'Untitled').replaceAll(/[-_]+/gu, ' ');
	return (last.charAt(0).toUpperCase() + last.slice(1)).slice(0, 200);
};

/** An image of ours is named once it is in the catalogue: before, every set-top would ask its pop-node for it in vain. */
const imageOf = (
	image: string,
	folder: string,
	{objectBaseUri, uris}: {readonly objectBaseUri: string; readonly uris: ReadonlySet<string>},
): {readonly imageUri?: string} => {
	const uri = URL.parse(image, objectBaseUri + folder);
	if (uri === null || !['http:', 'https:'].includes(uri.protocol) || uri.href.length > 1024) {
		return {};
	}
	return uri.href.startsWith(objectBaseUri) && !uris.has(uri.href) ? {} : {imageUri: uri.href};
};
