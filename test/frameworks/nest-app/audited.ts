import {
  Body,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  HttpCode,
  type INestApplication,
  Inject,
  Injectable,
  Module,
  NotFoundException,
  Param,
  ParseIntPipe,
  Post,
  SetMetadata,
  UseGuards,
} from '@nestjs/common'
import { NestFactory, Reflector } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { audited, type Deedbox } from 'deedbox'
import { observe } from 'deedbox/nest'

@Injectable()
class Roles implements CanActivate {
  constructor(@Inject(Reflector) private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const response = context.switchToHttp().getResponse()
    response.header('x-role', this.reflector.get('role', context.getHandler()))
    return true
  }
}

const Role = (role: string) => SetMetadata('role', role)

@Injectable()
class Users {
  readonly #names = new Map([[7, 'ann']])

  @audited({ eventName: 'user.find', kind: 'success', service: 'people' })
  async find(id: number): Promise<string> {
    const name = this.#names.get(id)
    if (name === undefined) throw new NotFoundException('nobody')
    return name
  }
}

@Controller('users')
@UseGuards(Roles)
class UsersController {
  constructor(@Inject(Users) private readonly users: Users) {}

  @audited()
  @Get('above/:id')
  @Role('reader')
  above(@Param('id', ParseIntPipe) id: number): Promise<string> {
    return this.users.find(id)
  }

  @Get('below/:id')
  @Role('reader')
  @audited()
  async below(@Param('id', ParseIntPipe) id: number): Promise<{ id: number; name: string }> {
    return { id, name: await this.users.find(id) }
  }

  @Role('writer')
  @audited
  @Post('made')
  @HttpCode(202)
  make(@Body('name') name: string): { made: string } {
    return { made: name }
  }
}

@Module({ controllers: [UsersController], providers: [Users] })
class AuditedModule {}

/** A service whose controller and provider are audited, without listening. */
export async function createAudited(
  platform: 'express' | 'fastify',
  box: Deedbox,
): Promise<INestApplication> {
  const how = { logger: false } as const
  return observe(box)(
    platform === 'express'
      ? await NestFactory.create(AuditedModule, how)
      : await NestFactory.create(AuditedModule, new FastifyAdapter(), how),
  )
}
