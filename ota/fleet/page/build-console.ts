import {fileURLToPath} from 'node:url';
import {build} from 'vite';

/** Run by the launcher when a source of the console is newer than what was built from it. */
await build({
	configFile: false,
	root: fileURLToPath(new URL('../../console', import.meta.url)),
	logLevel: 'warn',
	oxc: {jsx: {runtime: 'automatic', importSource: 'preact'}},
	build: {
		outDir: fileURLToPath(new URL('../../../build/console', import.meta.url)),
		emptyOutDir: true,
		target: 'es2023',
		modulePreload: {polyfill: false},
		// A data: address would need a hole in the content security policy.
		assetsInlineLimit: 0,
		chunkSizeWarningLimit: 700,
	},
});
