import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drain, entries, errorOf, startWorld, type World } from '../testkit.ts';

describe('folders', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({}, { locale: 'nl', without: ['archive'] });
    for (let number = 0; number < 8; number++)
      world.simulator.control.createFolder({ mailbox: world.mailbox, name: `Map ${number}` });
  });
  afterAll(() => world.close());

  const names = (values: readonly { readonly displayName?: unknown }[]) =>
    values.map((value) => value.displayName);

  test('A9.1 lists only the top level, ten at a time, in the language of the mailbox', async () => {
    const first = await world.graph('/me/mailFolders');
    expect(entries(first)).toHaveLength(10);
    const second = await world.graph(String(first.body['@odata.nextLink']));
    expect(second.body['@odata.nextLink']).toBeUndefined();
    const top = [...entries(first), ...entries(second)];
    expect(names(top)).toEqual(expect.arrayContaining(['Postvak IN', 'Concepten', 'Projects', 'Map 7']));
    expect(names(top)).not.toContain('2026');
    expect(names(top)).not.toContain('Gespreksgeschiedenis');
  });

  test('A9.1 shows nested folders under their parents, and hidden ones on request', async () => {
    const all = entries(await world.graph('/me/mailFolders?$top=100&includeHiddenFolders=true'));
    expect(all.find((folder) => folder.displayName === 'Gespreksgeschiedenis')).toMatchObject({
      isHidden: true,
    });
    const projects = all.find((folder) => folder.displayName === 'Projects');
    expect(projects).toMatchObject({ childFolderCount: 2 });
    const children = entries(await world.graph(`/me/mailFolders/${projects?.id}/childFolders`));
    expect(names(children)).toEqual(['2026', '2025']);
  });

  test('A9.2 takes an alias for an id, and does not find what was never made', async () => {
    const inbox = await world.graph('/me/mailFolders/inbox');
    expect(inbox.body).toMatchObject({ displayName: 'Postvak IN' });
    expect((await world.graph(`/me/mailFolders('${inbox.body.id}')`)).body).toEqual(inbox.body);
    expect((await world.graph('/me/mailFolders(%27inbox%27)')).body).toEqual(inbox.body);
    const archive = await world.graph('/me/mailFolders/archive');
    expect(archive.status).toBe(404);
    expect(errorOf(archive).code).toBe('ErrorItemNotFound');
  });

  test('A9.3 knows no wellKnownName', async () => {
    const answer = await world.graph('/me/mailFolders?$select=wellKnownName');
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toEqual({
      code: 'BadRequest',
      message:
        "Parsing OData Select and Expand failed: Could not find a property named 'wellKnownName' on type 'microsoft.graph.mailFolder'.",
    });
  });

  test('A9.4 tells changes of the whole tree, and refuses options', async () => {
    const { control } = world.simulator;
    const refused = await world.graph('/me/mailFolders/delta?$top=5');
    expect(refused.status).toBe(400);
    expect(errorOf(refused).message).toBe(
      "The following parameters are not supported with change tracking over the 'Folders' resource: '$orderby, $filter, $search, $top'.",
    );
    const first = await drain(world, '/me/mailFolders/delta?$select=displayName');
    expect(names(first.entries)).toEqual(expect.arrayContaining(['Postvak IN', '2026', 'Migration']));

    const kept = control.createFolder({ mailbox: world.mailbox, name: 'New', parent: 'inbox' });
    const gone = control.createFolder({ mailbox: world.mailbox, name: 'Short-lived' });
    control.removeFolder({ mailbox: world.mailbox, folder: gone });
    const second = await drain(world, first.deltaLink);
    expect(second.entries).toEqual([
      { '@odata.type': '#microsoft.graph.mailFolder', id: kept, displayName: 'New' },
      { '@odata.type': '#microsoft.graph.mailFolder', id: gone, '@removed': { reason: 'deleted' } },
    ]);
  });
});
