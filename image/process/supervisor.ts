import path from 'node:path';
import {parseArgs} from 'node:util';
import {runSupervisor} from '#appliance/supervisor/run-supervisor.ts';
import {headendConfigSchema} from '#headend/config-schema.ts';
import {projectRoot} from '#native/project-root.ts';
import {startMember} from '#ota/member/start-member.ts';
import {popNodeConfigSchema} from '#pop-node/config-schema.ts';
import {stbConfigSchema} from '#stb/config-schema.ts';

/** The supervisor of an image: what `./streamverse supervisor` is in a checkout, with the role's bundle beside it. */
const sectionSchemas = {headend: headendConfigSchema, stb: stbConfigSchema, 'pop-node': popNodeConfigSchema};
const {values} = parseArgs({options: {config: {type: 'string', default: '/var/lib/streamverse/box.yaml'}}});

await runSupervisor({
	filePath: values.config,
	roleMainPath: (kind) => path.join(projectRoot, `${kind}.js`),
	startMember: async (options) => await startMember({...options, sectionSchemaOf: (kind) => sectionSchemas[kind]}),
});
