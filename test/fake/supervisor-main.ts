import {fileURLToPath} from 'node:url';
import {runSupervisor} from '#appliance/supervisor/run-supervisor.ts';

/** The real supervisor process, over the role that fails as told. */
await runSupervisor({
	filePath: process.argv[2] ?? '',
	roleMainPath: () => fileURLToPath(new URL('role-main.ts', import.meta.url)),
});
