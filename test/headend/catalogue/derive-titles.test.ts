import test from 'ava';
import {titleListSchema} from '#appliance/contract/title-schema.ts';
import type {ObjectForm} from '#headend/catalogue/catalogue-entry.ts';
import {deriveTitles} from '#headend/catalogue/derive-titles.ts';
import type {ServiceFile} from '#headend/catalogue/service-file-schema.ts';

const objectBaseUri = 'http://dvb.gw/streamverse/';
const titlesOf = (
	objects: Readonly<Record<string, ObjectForm | undefined>>,
	options: {
		readonly serviceFiles?: ReadonlyMap<string, ServiceFile>;
		readonly channels?: Parameters<typeof deriveTitles>[0]['channels'];
	} = {},
) => {
	const titles = deriveTitles({
		objectBaseUri,
		entries: Object.entries(objects).map(([path, form]) => ({path, form, uri: objectBaseUri + path})),
		serviceFiles: options.serviceFiles ?? new Map(),
		channels: options.channels ?? [],
	});
	return titleListSchema.parse({version: 1, titles}).titles;
};

test('a folder with a multivariant playlist and an MPD is one title, HLS first', (t) => {
	const titles = titlesOf({
		'vod/my-film/manifest.mpd': 'dash',
		'vod/my-film/master.m3u8': 'hls-multivariant',
		'vod/my-film/media_0.m3u8': 'hls-media',
		'vod/my-film/init.mp4': 'init',
		'vod/my-film/1.m4s': undefined,
	});
	t.is(titles.length, 1);
	t.like(titles[0], {id: 'vod-my-film', name: 'My film', kind: 'vod'});
	t.deepEqual(titles[0]?.manifests, [
		{uri: `${objectBaseUri}vod/my-film/master.m3u8`, contentType: 'application/vnd.apple.mpegurl'},
		{uri: `${objectBaseUri}vod/my-film/manifest.mpd`, contentType: 'application/dash+xml'},
	]);
});

test('media playlists in folders of their own are no titles', (t) => {
	const titles = titlesOf({'vod/a/master.m3u8': 'hls-multivariant', 'vod/a/720p/media.m3u8': 'hls-media'});
	t.deepEqual(
		titles.map(({id}) => id),
		['vod-a'],
	);
});

test('a service file names its folder, and makes a media playlist a title', (t) => {
	const serviceFiles = new Map([
		['fast/news/', {id: 'news', name: 'News', kind: 'live', channelNumber: 3, image: 'logo.png'} as const],
	]);
	const titles = titlesOf({'fast/news/media.m3u8': 'hls-media', 'fast/news/logo.png': undefined}, {serviceFiles});
	t.deepEqual(titles, [
		{
			id: 'news',
			kind: 'live',
			name: 'News',
			channelNumber: 3,
			imageUri: `${objectBaseUri}fast/news/logo.png`,
			manifests: [{uri: `${objectBaseUri}fast/news/media.m3u8`, contentType: 'application/vnd.apple.mpegurl'}],
		},
	]);
});

test('an image of ours is named once the catalogue has it, one of others always', (t) => {
	const image = (name: string) => new Map([['a/', {name: 'A', image: name}]]);
	t.is(titlesOf({'a/m.mpd': 'dash'}, {serviceFiles: image('logo.png')})[0]?.imageUri, undefined);
	const elsewhere = 'http://images.example/logo.png';
	t.is(titlesOf({'a/m.mpd': 'dash'}, {serviceFiles: image(elsewhere)})[0]?.imageUri, elsewhere);
});

test('an image with another scheme is left out', (t) => {
	const serviceFiles = new Map([['a/', {name: 'A', image: 'javascript:alert(1)'}]]);
	t.is(titlesOf({'a/m.mpd': 'dash'}, {serviceFiles})[0]?.imageUri, undefined);
});

test('what lies below live/ is live, and named by its channel', (t) => {
	const channels = [{id: 'one', name: 'Channel One', channelNumber: 1}];
	const titles = titlesOf({'live/one/manifest.mpd': 'dash', 'live/two/manifest.mpd': 'dash'}, {channels});
	t.like(titles[0], {id: 'live-one', kind: 'live', name: 'Channel One', channelNumber: 1});
	t.like(titles[1], {id: 'live-two', kind: 'live', name: 'Two'});
});

test('two folders that claim one id give one title', (t) => {
	const serviceFiles = new Map([
		['a/', {id: 'same', name: 'A'}],
		['b/', {id: 'same', name: 'B'}],
	]);
	t.is(titlesOf({'a/m.mpd': 'dash', 'b/m.mpd': 'dash'}, {serviceFiles}).length, 1);
});
