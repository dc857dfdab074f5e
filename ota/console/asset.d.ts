/** What only the bundler resolves. */
declare module '*.css' {}
declare module 'world-atlas/countries-110m.json' {
	import type {GeometryCollection, Topology} from 'topojson-specification';

	const atlas: Topology<{countries: GeometryCollection<{name: string}>; land: GeometryCollection}>;
	// biome-ignore lint/style/noDefaultExport: this is how the bundler offers a JSON file.
	export default atlas;
}
