import type {Command} from 'commander';

const exampleText = `
Examples:
  $ ./streamverse config check stb.yaml
  $ ./streamverse config check --print stb.yaml   # with every default filled in`;

/** Tells every mistake of a box's file at once, each with its line and path. */
export const registerConfigCommand = (program: Command): void => {
	const config = program.command('config').description("look at a box's YAML file");
	config
		.command('check')
		.description("tell every mistake of a box's file, with line and path; exit code 78 if there is one")
		.argument('<file>', "the box's YAML file")
		.option('--print', 'print the whole configuration, defaults included')
		.addHelpText('after', exampleText)
		.action(async (filePath: string, {print}: {readonly print?: boolean}) => {
			const {loadBoxConfig} = await import('#appliance/config/load-box-config.ts');
			const {sectionSchemas} = await import('#cli/role/role-table.ts');
			const {box, log, supervisor, fleet, role} = await loadBoxConfig({
				filePath,
				sectionSchemaOf: (kind) => sectionSchemas[kind],
			});
			if (print) {
				const {stringify} = await import('yaml');
				process.stdout.write(
					stringify({version: 1, box, log, supervisor, ...(fleet === undefined ? {} : {fleet}), [box.kind]: role}),
				);
			} else {
				process.stdout.write(`${filePath} is right: a ${box.kind} called ${box.id}\n`);
			}
		});
};
